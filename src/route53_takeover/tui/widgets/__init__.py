"""The parts of the screen that shows a run. Each draws itself from one `Frame`, and keeps none."""
