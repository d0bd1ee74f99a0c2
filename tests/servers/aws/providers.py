"""Providers of credentials of AgentCore: they have no states, and what is secret about them is in Secrets Manager.

Strict where the service does not say: a provider that a target of a gateway uses is not deleted.
"""

from moto.secretsmanager.models import secretsmanager_backends

from .kinds import SERVICE
from .refusal import Refusal
from .registry import plays
from .resources import Thing, answer, found, listing, shaped, tagged


def used_by(configurations):
    """The providers that a target of a gateway uses."""
    for one in configurations:
        for member in ("apiKeyCredentialProvider", "oauthCredentialProvider"):
            if member in one.get("credentialProvider", {}):
                yield one["credentialProvider"][member]


class Provider:
    """A kind of provider of credentials. A secret that is not the service's own has to exist."""

    def __init__(self, noun, word, secret, config):
        self.noun, self.word, (self.plain, self.secret), self.config = noun, word, secret, config
        for verb, function in (("Create", self.put), ("Update", self.put), ("Get", self.get), ("Delete", self.delete)):
            plays(f"{SERVICE}:{verb}{noun}")(function)
        plays(f"{SERVICE}:List{noun}s")(lambda call, _: listing(call, call.store(noun), "credentialProviders"))

    def put(self, call, _):
        providers, name = call.store(self.noun), call.members["name"]
        new = call.operation.name.startswith("Create")
        if new and name in providers:
            raise Refusal("ConflictException", f"the provider {name} already exists")
        before = {} if new else found(providers, name, "Provider")
        arn = f"arn:aws:acps:{call.region}:{call.account}:token-vault/default/{self.word}credentialprovider/{name}"
        thing = Thing(
            call.asked("tags", "apiKey", "apiKeySecretConfig", "oauth2ProviderConfigInput"), credentialProviderArn=arn
        )
        thing.update(createdTime=before.get("createdTime", call.now), lastUpdatedTime=call.now)
        thing.tags = getattr(before, "tags", {})
        thing.update(self.secret_of(call, self.config(call.members)))
        given = call.members.get("oauth2ProviderConfigInput")
        if given:
            (vendor, inner), shapes = next(iter(given.items())), call.operation.shapes
            output = shapes["Oauth2ProviderConfigOutput"]["members"]
            inner = shaped(call.operation, output[vendor]["shape"], inner)
            thing.update(oauth2ProviderConfigOutput={vendor: inner}, status="READY")
        providers[name] = tagged(thing, call.members.get("tags", {}))
        return answer(call, thing)

    def secret_of(self, call, config):
        """Where the secret is: in one that somebody else keeps, or in one that the service makes."""
        source, reference = config.get(f"{self.secret}Source"), config.get(f"{self.secret}Config")
        plain = config.get(self.plain)
        if (source == "EXTERNAL") != (reference is not None) or (reference is not None) == (plain is not None):
            raise Refusal("ValidationException", "a secret is given, or is an EXTERNAL one that is referred to")
        place = f"arn:aws:secretsmanager:{call.region}:{call.account}:secret:"
        if reference is None:
            own = f"{place}bedrock-agentcore-identity!default/{self.word}/{call.members['name']}"
            return {f"{self.secret}Arn": {"secretArn": own}, f"{self.secret}Source": "MANAGED"}
        known = secretsmanager_backends[call.account][call.region].secrets
        secret = next((one for one in known.values() if reference["secretId"] in (one.name, one.arn)), None)
        if secret is None:
            raise Refusal("ResourceNotFoundException", f"the secret {reference['secretId']} does not exist")
        arn, key = {"secretArn": secret.arn}, reference["jsonKey"]
        return {f"{self.secret}Arn": arn, f"{self.secret}JsonKey": key, f"{self.secret}Source": source}

    def get(self, call, _):
        return answer(call, found(call.store(self.noun), call.members["name"], "Provider"))

    def delete(self, call, _):
        provider = found(call.store(self.noun), call.members["name"], "Provider")
        for gateway in call.store("Gateway").values():
            for target in gateway.parts.get("GatewayTarget", {}).values():
                used = used_by(target["credentialProviderConfigurations"])
                if any(one["providerArn"] == provider["credentialProviderArn"] for one in used):
                    raise Refusal("ConflictException", f"the provider is used by the target {target['name']}")
        del call.store(self.noun)[provider["name"]]
        return {}


def client_of(members):
    """What an OAuth provider says of its client: under the name of its vendor."""
    return next(iter(members["oauth2ProviderConfigInput"].values()))


PROVIDERS = ("ApiKeyCredentialProvider", "Oauth2CredentialProvider")
Provider(PROVIDERS[0], "apikey", ("apiKey", "apiKeySecret"), lambda members: members)
Provider(PROVIDERS[1], "oauth2", ("clientSecret", "clientSecret"), client_of)
