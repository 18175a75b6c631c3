"""What `import headstart` offers: functions, the scikit-learn estimator. No work is done here: `flow` is called."""
