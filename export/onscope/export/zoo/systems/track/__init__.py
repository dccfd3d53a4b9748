"""Systems that track."""
