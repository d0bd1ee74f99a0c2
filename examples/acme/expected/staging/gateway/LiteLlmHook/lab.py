"""Lets tenants in, keeps them to their routes, and holds the caps of routes. Lets one more key read metrics, and nothing else.

LiteLLM without a database knows no tenants, and does not enforce which models a caller may name. This module does
both, from `tenants.json` beside it (or the file that AIPOLICY_TENANTS names). Keys are read from the environment
variables that the file names. Whatever is not known is refused.
"""

import hmac
import json
import os
import pathlib

import litellm
from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth

_FILE = pathlib.Path(os.environ.get("AIPOLICY_TENANTS", pathlib.Path(__file__).with_name("tenants.json")))
_TABLE = json.loads(_FILE.read_text(encoding="utf-8"))
_OUTPUT_CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_INPUTS = ("prompt", "input", "instructions", "system", "tools")
_METRICS = ("/metrics", "/metrics/")


def _is_key(variable, api_key):
    key = os.environ.get(variable, "")
    return bool(key) and hmac.compare_digest(key.encode(), (api_key or "").encode())


def _tenant_of(api_key):
    """The tenant whose key this is. Every key is compared, so that the time says nothing."""
    found = None
    for name, tenant in _TABLE["tenants"].items():
        if _is_key(tenant["key_env"], api_key):
            found = name
    return found


def _reader_of_metrics(api_key):
    """Whoever reads metrics, which tell of all tenants. LiteLLM keeps this path for administrators."""
    metrics = _TABLE.get("metrics")
    if metrics is None or not _is_key(metrics["key_env"], api_key):
        raise HTTPException(status_code=401, detail="unknown key")
    return UserAPIKeyAuth(
        api_key=litellm.proxy._types.hash_token(api_key),
        user_role=LitellmUserRoles.PROXY_ADMIN,
    )


async def user_api_key_auth(request, api_key):
    """Authenticates a tenant by its key, and whoever reads metrics by theirs."""
    if request.url.path in _METRICS:
        return _reader_of_metrics(api_key)
    name = _tenant_of(api_key)
    if name is None:
        raise HTTPException(status_code=401, detail="unknown key")
    tenant = _TABLE["tenants"][name]
    budget = tenant.get("max_budget_micro_usd")
    return UserAPIKeyAuth(
        api_key=litellm.proxy._types.hash_token(api_key),
        team_id=name,
        team_alias=name,
        models=tenant["groups"],
        rpm_limit=tenant.get("rpm_limit"),
        tpm_limit=tenant.get("tpm_limit"),
        max_budget=None if budget is None else budget / 1_000_000,
    )


def _route_of(tenant, model, aliases):
    """The route that a request names, by its name or by its task."""
    route = aliases.get(model, model)
    return route if route in tenant["routes"] else None


def _aliases():
    router = litellm.proxy.proxy_server.llm_router
    return dict(getattr(router, "model_group_alias", None) or {})


def _input_tokens(data):
    """Tokens of all that a request brings, whichever endpoint it is for."""
    tokens = 0
    if data.get("messages") is not None:
        tokens += litellm.token_counter(model="", messages=data["messages"])
    for key in _INPUTS:
        value = data.get(key)
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            tokens += litellm.token_counter(model="", text=text)
    return tokens


def _hold_caps(data, caps, call_type):
    most = caps.get("max_output_tokens")
    if most is not None:
        asked = [data[key] for key in _OUTPUT_CAPS if isinstance(data.get(key), int)]
        for key in _OUTPUT_CAPS:
            data.pop(key, None)
        data["max_output_tokens" if "responses" in call_type else "max_tokens"] = min([most, *asked])
    longest = caps.get("max_input_tokens")
    if longest is not None and _input_tokens(data) > longest:
        raise HTTPException(status_code=413, detail=f"the request has more than {longest} tokens")


class _Hook(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        tenant = _TABLE["tenants"].get(user_api_key_dict.team_id)
        if tenant is None:
            raise HTTPException(status_code=403, detail="no tenant")
        route = _route_of(tenant, data.get("model"), _aliases())
        if route is None:
            raise HTTPException(status_code=403, detail="this tenant has no such route")
        data["model"] = route
        _hold_caps(data, _TABLE["routes"].get(route, {}), str(call_type))
        return data


hook = _Hook()
