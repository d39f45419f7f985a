"""A server in memory that behaves as the parts of Label Studio which a push and a pull use."""

from typing import Any

from emovid_assets.home.folders import Home
from emovid_assets.resources.label_studio import Access, LabelStudio


def pulled_files(home: Home) -> dict[str, bytes]:
    """What a pull has kept, by file name."""
    return {path.name: path.read_bytes() for path in sorted(home.annotations.glob("label-studio-*.json"))}


class FakeLabelStudio(LabelStudio):
    """Answers as Label Studio does; `annotate` stands for a person at the screen."""

    def __init__(self) -> None:
        super().__init__(Access("https://server", "admin@example.org", "password", "token"))
        self.by_id: dict[int, dict[str, Any]] = {}
        self.requests: list[str] = []
        self.annotation_count = self.task_count = 0

    def _call(self, method: str, path: str, **options: Any) -> Any:
        self.requests.append(f"{method} {path}")
        parts = path.strip("/").split("/")
        if method == "GET" and path == "/api/users/":
            return [{"id": 1, "email": "ann@example.org"}, {"id": 2, "email": "bob@example.org"}]
        if method == "GET" and path == "/api/projects/":
            projects = [
                {**one["settings"], "id": number, "task_number": len(one["tasks"])}
                for number, one in self.by_id.items()
            ]
            return {"results": projects, "next": None}
        if method == "POST" and path == "/api/projects/":
            number = len(self.by_id) + 1
            self.by_id[number] = {"settings": options["json"], "tasks": []}
            return {**options["json"], "id": number, "task_number": 0}
        if method == "POST" and path == "/api/storages/localfiles/":
            return {}
        if method == "PATCH" and parts[1] == "tasks":
            all_tasks = (task for one in self.by_id.values() for task in one["tasks"])
            next(task for task in all_tasks if task["id"] == int(parts[2])).update(options["json"])
            return {}
        project = self.by_id[int(parts[2])]
        if method == "PATCH":
            project["settings"] |= options["json"]
        elif parts[-1] == "import":
            for task in options["json"]:
                self.task_count += 1
                project["tasks"].append({**task, "id": self.task_count, "annotations": []})
        elif parts[-1] == "export":
            return project["tasks"]
        return {}

    def annotate(
        self, project_id: int, position: int, user_id: int, label: str, *, at: str = "2026-11-20T10:00:00Z"
    ) -> None:
        self.annotation_count += 1
        choice = {"from_name": "emotion", "to_name": "video", "type": "choices", "value": {"choices": [label]}}
        self.by_id[project_id]["tasks"][position]["annotations"].append(
            {
                "id": self.annotation_count,
                "unique_id": f"unique-{self.annotation_count}",
                "completed_by": user_id,
                "result": [choice],
                "was_cancelled": False,
                "created_at": at,
                "updated_at": at,
                "lead_time": 3.5,
            }
        )
