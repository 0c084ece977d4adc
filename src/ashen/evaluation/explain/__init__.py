"""Why a fight went as it did: every decision of the boss, every blow that hit or missed, every hit point lost."""
