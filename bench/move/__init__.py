"""`make bench-move`: what each part of moving a job costs."""
