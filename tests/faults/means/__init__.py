"""The means of doing harm, each independent of the others and of what is harmed."""
