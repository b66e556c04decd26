"""Measures how right the answers are, with no judge and no network; or with a judge where there is one."""
