"""What a measured process answers: its last line, as JSON."""
import json
import subprocess


def answer(command, timeout, env=None):
    """the last line of a command as JSON, or {"why": …}"""
    try:
        run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"why": f"not done after {timeout} s"}
    last = (run.stdout.strip().splitlines() or [""])[-1]
    if run.returncode or not last.startswith("{"):
        return {"why": (run.stderr.strip().splitlines() or ["no answer"])[-1][:120]}
    return json.loads(last)
