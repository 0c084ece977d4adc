"""What can be said after each verb; the options of trainings stand beside what trains (coach, tutor, scout)."""
