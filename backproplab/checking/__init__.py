"""Is it right? A claim beside a witness that knows no chain rule, within what rounding and kinks may do."""
