"""`make demo`: one training job, moved while it trains, and a report of what that cost."""
