"""From applied campaigns to published and measured posts: planning, dispatch, recovery, reach."""
