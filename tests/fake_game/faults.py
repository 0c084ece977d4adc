class Faults:
    def __init__(self, fake): self.fake = fake
