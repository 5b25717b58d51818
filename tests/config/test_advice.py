from sim.config.advice import SHOWN, did_you_mean, listed


def test_the_nearest_word_is_offered_whatever_its_case() -> None:
    assert did_you_mean("broswe", ["browse", "buy"]) == 'did you mean "browse"?'
    assert did_you_mean("BROWSE", ["Browse", "buy"]) == 'did you mean "Browse"?'


def test_else_all_words_are_listed_until_they_are_too_many() -> None:
    assert did_you_mean("zzz", ["browse", "buy"]) == "known here: browse, buy"
    assert did_you_mean("zzz", []) == "nothing is known here"
    assert listed(str(i) for i in range(SHOWN + 3)).endswith("11 and 3 more")
    assert "more" not in listed("abc")
