"""The page of `wxsim serve`: change a scenario, predict, run it, look at what came out. Needs the extra `web`."""
