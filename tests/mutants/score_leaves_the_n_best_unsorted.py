"""An n-best in the order in which its hypotheses ended."""

import pipeline.decoding.found as found

LAW = "score"
TEST = "tests/laws/test_score.py::test_an_n_best_is_sorted_and_distinct"
WHY = "The first of an n-best is the one that ended first, not the best."


def mutate(monkeypatch):
    def best(self, count):
        return [
            found._records(*(values[row, :count].tolist() for values in tensors))
            for tensors in [(self.ids, self.scores, self.totals, self.lengths)]
            for row in range(len(self.ids))
        ]

    monkeypatch.setattr(found.Places, "best", best)
