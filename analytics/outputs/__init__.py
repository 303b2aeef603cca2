"""What leaves: reads for views, exports."""
