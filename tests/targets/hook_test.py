"""Runs the hook of the LiteLLM target beside stand-ins for the proxy, and says what it does with requests.

Arguments: the hook, and `tenants.json`. Prints one line for each request.
"""

import asyncio
import importlib.util
import json
import os
import sys
import types


class HTTPException(Exception):
    def __init__(self, status_code, detail):
        super().__init__(detail)
        self.status_code = status_code


class UserAPIKeyAuth:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    return made


def count(model, messages=None, text=None):
    """A token is a word."""
    texts = [text] if text is not None else [message["content"] for message in messages]
    return sum(len(one.split()) for one in texts)


module("fastapi", HTTPException=HTTPException)
router = types.SimpleNamespace(model_group_alias={"talk": "chat"})
types_module = module(
    "litellm.proxy._types",
    UserAPIKeyAuth=UserAPIKeyAuth,
    LitellmUserRoles=types.SimpleNamespace(PROXY_ADMIN="proxy_admin"),
    hash_token=lambda key: "hash",
)
server = module("litellm.proxy.proxy_server", llm_router=router)
proxy = module("litellm.proxy", _types=types_module, proxy_server=server)
module("litellm.integrations.custom_logger", CustomLogger=object)
module("litellm.integrations")
module("litellm", proxy=proxy, token_counter=count)

os.environ["AIPOLICY_TENANTS"] = sys.argv[2]
os.environ["AIPOLICY_KEY_PAYMENTS"] = "key-of-payments"
os.environ["AIPOLICY_METRICS_KEY"] = "key-of-metrics"
os.environ.pop("AIPOLICY_KEY_OWN", None)
spec = importlib.util.spec_from_file_location("aipolicy_litellm", sys.argv[1])
hook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hook)


def tried(work):
    try:
        return asyncio.run(work)
    except HTTPException as refusal:
        return refusal.status_code


def sent(team, call="acompletion", **data):
    found = tried(hook.hook.async_pre_call_hook(UserAPIKeyAuth(team_id=team), None, data, call))
    return json.dumps(found, sort_keys=True)


def asked(path, key):
    request = types.SimpleNamespace(url=types.SimpleNamespace(path=path))
    found = tried(hook.user_api_key_auth(request, key))
    print(path, key, found if isinstance(found, int) else json.dumps(found.__dict__, sort_keys=True))


for key in ["key-of-payments", "wrong", "", None, "key-of-metrics"]:
    asked("/chat/completions", key)
for path in ["/metrics", "/metrics/"]:
    for key in ["key-of-metrics", "key-of-payments", "", None]:
        asked(path, key)
asked("/metrics/key", "key-of-metrics")
del hook._TABLE["metrics"]
asked("/metrics/", "key-of-metrics")
print("route", sent("payments", model="chat"))
print("alias", sent("payments", model="talk"))
print("other route", sent("payments", model="secret"))
print("fallback group", sent("payments", model="chat.fallback-1"))
print("no model", sent("payments"))
print("no tenant", sent("nobody", model="chat"))
for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"]:
    print(name, sent("payments", model="chat", **{name: 5000}), sent("payments", model="chat", **{name: 9}))
print("all three", sent("payments", model="chat", max_tokens=30, max_completion_tokens=20, max_output_tokens=10))
print("text", sent("payments", model="chat", max_tokens="99999"))
print("responses", sent("payments", "aresponses", model="chat", input="a b", max_output_tokens=5000))
print("short", sent("payments", model="chat", messages=[{"content": "a b c d"}]))
long = "a b c d e"
print("long messages", sent("payments", model="chat", messages=[{"content": long}]))
print("long prompt", sent("payments", model="chat", prompt=long))
print("long input", sent("payments", "aresponses", model="chat", input=[{"content": long}]))
print("together", sent("payments", model="chat", messages=[{"content": "a b c"}], tools=[{"b": "c d"}]))
print("uncapped", sent("payments", model="free", messages=[{"content": long}], max_tokens=5000))
