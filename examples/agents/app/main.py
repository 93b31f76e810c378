from stats import mean


def report(values: list[float]) -> str:
    middle = mean(values)
    above = [value for value in values if value > middle]
    return f"{len(above)} of {len(values)} are above {middle:.1f}"


print(report([1.0, 2.0, 6.0]))
