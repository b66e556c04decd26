"""From files, pages and feeds to stored, embedded passages."""
