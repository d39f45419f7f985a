"""Work that threads do ahead of whoever needs it, in order, and never more of it than memory allows.

Belongs here: how far ahead, in number and in bytes. Does not belong here: what is read, and by which model.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def read_ahead(
    tasks: Iterable[tuple[str, Given]],
    work: Callable[[Given], Made],
    *,
    threads: int,
    most: int,
    most_bytes: int | None = None,
    byte_count: Callable[[Made], int] | None = None,
    begin: Callable[[], None] | None = None,
) -> Generator[tuple[str, Made]]:
    """(id, what `work` made of it), in the order of the tasks; what `work` raises is raised here.

    At most `most` tasks are ahead. With `byte_count`, no further one is begun while what is made, and what is under way
    at the size of the largest so far, would exceed `most_bytes`; one is always under way. `begin` is called once
    in each thread.
    """
    ahead: deque[tuple[str, Future[Made]]] = deque()
    largest = 0

    def is_room() -> bool:
        if not ahead:
            return True
        if len(ahead) >= most:
            return False
        if byte_count is None or most_bytes is None:
            return True
        made = [byte_count(one.result()) for _, one in ahead if one.done() and not one.exception()]
        return sum(made) + max([largest, *made]) * (len(ahead) + 1 - len(made)) <= most_bytes

    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        try:
            waiting = iter(tasks)
            is_more = True
            while is_more or ahead:
                while is_more and is_room():
                    task = next(waiting, None)
                    if task is None:
                        is_more = False
                    else:
                        ahead.append((task[0], pool.submit(work, task[1])))
                if ahead:
                    item_id, future = ahead.popleft()
                    made = future.result()
                    if byte_count is not None:
                        largest = max(largest, byte_count(made))
                    del future
                    yield item_id, made
                    # What was handed over is the other's to keep.
                    del made
        finally:
            pool.shutdown(cancel_futures=True)
