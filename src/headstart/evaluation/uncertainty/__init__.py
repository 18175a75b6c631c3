"""Calibration, prediction sets, abstaining and thresholds, measured on test rows."""
