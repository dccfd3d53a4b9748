"""Why the microscope did, or did not do, what it did: one event in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._errors import RecordError
from ._entry import Entry, Outcome, Story
from ._words import asked_words, clean, clock_time, command_words, since, target_words, values_words

MOST_COMMANDS = 40
HEADLINES: dict[Outcome, str] = {
    "done": "the microscope did what the rule {rule} asked for",
    "failed": "the gate let pass what the rule {rule} asked for, and the hardware refused it",
    "refused": "the gate refused what the rule {rule} asked for, and nothing was done",
    "shadow": "the gate would have let pass what the rule {rule} asked for; it was not armed, and nothing was done",
    "passed": "the gate let pass what the rule {rule} asked for; that it was done is not told",
    "proposed": "the rule {rule} asked for something; what the gate said of it is not told",
}


def explain(story: Story, number: int) -> str:
    """Event `number` in words, on lines of their own. Raises RecordError when there is no such event."""
    entry = _entry(story, number)
    when = f"{clock_time(story.head, entry.at_ns)}, {since(story.head, entry.at_ns)} after the start"
    if entry.frame is None:
        return "\n".join([f"Event {number}, {when}: {clean(entry.kind)}", *_happened(story, entry)])
    head = HEADLINES[entry.outcome].format(rule=clean(entry.rule))
    lines = [f"Event {number}, {when}: {head}."]
    for title, told in (
        ("What was seen", _seen(story, entry)),
        ("What was asked for", _asked(entry)),
        ("What the gate said", _judged(entry)),
        ("What was done", _done(story, entry)),
        ("How long it took, from the moment the frame had come", _times(entry)),
    ):
        lines += ["", title, *(f"  {line}" for line in told)]
    return "\n".join(lines)


def steps_ms(entry: Entry) -> list[tuple[str, float]]:
    """The moments of an event that are known, as milliseconds after the frame was received; in their order."""
    if entry.received_ns is None:
        return []
    moments: list[tuple[str, int]] = [("the rule asked", entry.at_ns)]
    if entry.verdict is not None:
        moments.append(("the gate had judged", entry.verdict.judged_ns))
    if entry.done is not None:
        moments.append(("it began", entry.done.began_ns))
    if entry.commands:
        moments.append(("the first command was sent", entry.commands[0].at_ns))
    if entry.done is not None:
        moments.append(("it was done", entry.done.done_ns))
    if entry.failed_ns is not None:
        moments.append(("it had failed", entry.failed_ns))
    return [(words, (at_ns - entry.received_ns) / 1e6) for words, at_ns in moments]


def _entry(story: Story, number: int) -> Entry:
    for entry in story:
        if entry.number == number:
            return entry
    if not len(story):
        raise RecordError(f"found no event in {story.path}, expected event {number}: no rule asked for anything")
    raise RecordError(
        f"found no event {number} in {story.path}, expected one of {story[0].number} to {story[-1].number}"
    )


def _happened(story: Story, entry: Entry) -> Iterator[str]:
    yield f"  {clean(entry.because)}"
    if entry.values:
        yield f"  {clean(values_words(entry.values))}"
    yield from (f"  {line}" for line in _sent(story, entry))


def _seen(story: Story, entry: Entry) -> Iterator[str]:
    frame = entry.frame
    if frame is not None and entry.received_ns is not None:
        came = clock_time(story.head, entry.received_ns)
        who = f"frame {frame.seq} of {clean(frame.camera)} (run {clean(frame.run)}, segment {frame.segment})"
        yield f"{who}, which came at {came}"
    if entry.target is not None:
        yield target_words(entry.target)
    yield f"because {clean(entry.because)}"
    if entry.values:
        yield f"values: {clean(values_words(entry.values))}"
    for stage, sha256 in entry.models.items():
        package = story.head.packages.get(stage)
        named = f" by {clean(package)}" if package else ""
        yield f"answers of {clean(stage)}{named}, sha256 {clean(sha256)[:12]}"


def _asked(entry: Entry) -> Iterator[str]:
    yield asked_words(entry.asked)
    yield f"by the rule {clean(entry.rule)}, priority {entry.priority}"


def _judged(entry: Entry) -> Iterator[str]:
    verdict = entry.verdict
    if verdict is None:
        yield "nothing that is told"
        return
    if verdict.action is not None and verdict.action.get("kind") != entry.kind:
        yield f"that means to {asked_words(verdict.action)}"
    yield f"{'passed' if verdict.passed else 'refused'}: {clean(verdict.reason) or 'no reason is told'}"
    if verdict.passed and not verdict.armed:
        yield "not armed: what passes is written down, and not done"


def _done(story: Story, entry: Entry) -> Iterator[str]:
    if entry.failure is not None:
        yield f"the hardware refused it: {clean(entry.failure)}"
    sent = _sent(story, entry)
    yield from sent
    if not sent:
        yield "no command was sent"


def _sent(story: Story, entry: Entry) -> Sequence[str]:
    told = [f"{clock_time(story.head, one.at_ns)}  {command_words(one)}" for one in entry.commands[:MOST_COMMANDS]]
    more = len(entry.commands) - MOST_COMMANDS
    return [*told, f"and {more} more commands"] if more > 0 else told


def _times(entry: Entry) -> Iterator[str]:
    before = 0.0
    for words, after in steps_ms(entry):
        yield f"{after:10.2f} ms  {words:<27} (+{after - before:.2f} ms)"
        before = after
