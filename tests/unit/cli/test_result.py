"""How results look."""

from rich.console import Console

from ergosphere.cli.result import table


def printed(width: int, *heads: str, rows: list[tuple[str, ...]], folded: set[str]) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table(*heads, rows=rows, folded=folded))
    return captured.get().splitlines()


def test_a_long_cell_takes_no_room_from_the_columns_beside_it():
    rows = [("WRONG", "trial", "the cluster says " + "much " * 40, "see the logs")]
    lines = printed(60, "", "CHECK", "FOUND", "TO MEND IT", rows=rows, folded={"FOUND"})
    assert lines[1].startswith("WRONG  trial  the cluster says much")
    said = " ".join(" ".join(line.split()) for line in lines)
    assert said.count("much") == 40
    assert "logs" in said


def test_a_column_that_is_not_folded_keeps_to_its_line():
    assert len(printed(60, "NAME", "WHY", rows=[("a-job", "b " * 20)], folded=set())) == 2
