"""Keeps one comment on a pull request up to date: the one of ours that begins with the same mark."""

import json
import os
import re
import sys
import urllib.error
import urllib.request

PAGE = 100


def ask(method, path, body=None):
    """Asks the API of GitHub, and returns what it answers."""
    request = urllib.request.Request(
        os.environ.get("GITHUB_API_URL", "https://api.github.com") + path,
        method=method,
        data=None if body is None else json.dumps({"body": body}).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": "Bearer " + os.environ["AIPOLICY_TOKEN"],
            "Content-Type": "application/json",
            "User-Agent": "aipolicy",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def ours(path, mark):
    """Finds the comment. Whoever else writes the same mark keeps their comment."""
    page = 1
    while True:
        found = ask("GET", f"{path}?per_page={PAGE}&page={page}")
        for one in found:
            lines = (one.get("body") or "").splitlines()
            author = (one.get("user") or {}).get("login")
            if author == os.environ["AIPOLICY_AUTHOR"] and lines[:1] == [mark]:
                return one
        if len(found) < PAGE:
            return None
        page += 1


def main():
    repository, pull = os.environ["GITHUB_REPOSITORY"], os.environ["AIPOLICY_PULL"]
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not re.fullmatch(r"[0-9]+", pull):
        sys.exit("::error::the pull request has no number, or the repository no name")
    with open(sys.argv[1], encoding="utf-8") as file:
        body = file.read()
    issues = f"/repos/{repository}/issues"
    try:
        found = ours(f"{issues}/{pull}/comments", body.splitlines()[0])
        if found is None:
            ask("POST", f"{issues}/{pull}/comments", body)
        elif found["body"].splitlines() != body.splitlines():
            ask("PATCH", f"{issues}/comments/{int(found['id'])}", body)
    except urllib.error.HTTPError as error:
        # A pull request from a fork has a token that only reads.
        if error.code not in (401, 403, 404):
            raise
        print(f"::notice::the token may not write comments ({error.code}); the summary of the job has it")


main()
