"""Ways of telling somebody something outside the inbox. None of them carries a button that decides: only a link."""
