"""The world outside on one machine: providers of texts, calls, mail and pushes, a dialler, webhooks' takers, and the people behind them."""
