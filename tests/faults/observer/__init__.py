"""The outside observer: it knows what was posted and accepted, what providers received, what a plain consumer reads. No code of ours."""
