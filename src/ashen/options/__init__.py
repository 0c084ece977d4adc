"""What can be said after each verb; those of finetune, pretrain and sweep stand beside what does it (tutor, scout)."""
