"""swanctl.conf for the hosts, from small templates; and one place that knows how swanctl is spoken to."""


def section(name: str, content: dict) -> str:
    """A section in swanctl.conf's syntax; dicts become sections, lists are joined by commas."""
    lines = [f"{name} {{"]
    for key, value in content.items():
        if isinstance(value, dict):
            lines += ["    " + line for line in section(key, value).splitlines()]
        elif isinstance(value, (list, tuple)):
            lines.append(f"    {key} = {', '.join(str(item) for item in value)}")
        else:
            lines.append(f"    {key} = {value}")
    return "\n".join(lines + ["}"]) + "\n"


def gateway(plan, families=(4, 6), full=False, pool_options=None, encrypted_dns=None, **settings) -> str:
    """A gateway's whole file. pool_options: extra lines for the IPv4 pool; encrypted_dns: the section's content;
    settings: what is added to the connection."""
    chosen = [index for index, family in enumerate((4, 6)) if family in families]
    pools = {}
    for index in chosen:
        pools[POOLS[index]] = {"addrs": plan.pools[index]}
    next(iter(pools.values())).update(pool_options or {})
    selectors = EVERYTHING if full else plan.subnets
    text = section("connections", {"rw": {
        "version": 2,
        "local_addrs": plan.internet,
        "pools": list(pools),
        **settings,
        "local": {"auth": "pubkey", "certs": "gateway.pem", "id": plan.gateway_id},
        "remote": {"auth": "pubkey", "cacerts": f"{plan.name}.pem"},
        "children": {"net": {"local_ts": [selectors[index] for index in chosen]}},
    }})
    text += section("pools", pools)
    if encrypted_dns is not None:
        text += section("encrypted-dns", encrypted_dns)
    return text


def laptop(plans, families=(4, 6), full=False, outer=4, encrypted_dns=None, child=None, **settings) -> str:
    """A laptop's whole file, with one connection per enterprise, named like it. child, settings: what is added to
    children and connections; encrypted_dns: the section's content, which takes the enterprises' domains unless told
    otherwise."""
    chosen = [index for index, family in enumerate((4, 6)) if family in families]
    selectors = {plan.name: EVERYTHING if full else plan.subnets for plan in plans}
    text = section("connections", {plan.name: {
        "version": 2,
        "remote_addrs": plan.internet[0 if outer == 4 else 1],
        "vips": [("0.0.0.0", "::")[index] for index in chosen],
        **settings,
        "local": {"auth": "pubkey", "certs": f"{plan.name}.pem", "id": f"laptop@{plan.domain}"},
        "remote": {"auth": "pubkey", "id": plan.gateway_id},
        "children": {"net": {"remote_ts": [selectors[plan.name][index] for index in chosen], **(child or {})}},
    } for plan in plans})
    if encrypted_dns is None:
        encrypted_dns = {"laptop": {"accept-domains": [plan.domain for plan in plans]}}
    return text + section("encrypted-dns", encrypted_dns)


def dot(plan, **settings) -> dict:
    """A gateway's entry for its resolver over DoT."""
    return {"adn": plan.adn, "addresses": plan.resolver, "alpn": "dot", **settings}


def doh(plan, **settings) -> dict:
    """The same over DoH."""
    return {"adn": plan.adn, "addresses": plan.resolver, "alpn": "h2", "dohpath": '"/dns-query{?dns}"', **settings}


def handing_out(plan, **settings) -> dict:
    """The encrypted-dns section of a gateway that offers its resolver over DoT and its domain; settings add or
    replace."""
    return {plan.name: {
        "connections": "rw",
        "resolvers": {"dot": dot(plan)},
        "domains": plan.domain,
        **settings,
    }}


POOLS = ("rw-v4", "rw-v6")
EVERYTHING = ("0.0.0.0/0", "::/0")


class Swanctl:
    """swanctl on one host, which is a charon's only configuration there."""

    FILE = "/etc/swanctl/swanctl.conf"

    def __init__(self, host):
        self.host = host

    def trust(self, name: str, certificate: str) -> None:
        """Puts an authority where swanctl finds it."""
        self.host.write(f"/etc/swanctl/x509ca/{name}.pem", certificate)

    def own(self, name: str, credential) -> None:
        """Puts a certificate of the host's own, with its key, where swanctl finds them."""
        self.host.write(f"/etc/swanctl/x509/{name}.pem", credential.certificate)
        self.host.write(f"/etc/swanctl/private/{name}.pem", credential.key, "0600")

    def load(self, text: str):
        """Puts a configuration in place, loads it, and has the plugins reload theirs; what swanctl printed."""
        self.host.write(self.FILE, text)
        loaded = self.host.run("swanctl", "--load-all")
        self.host.run("swanctl", "--reload-settings")
        return loaded.stdout + loaded.stderr

    def initiate(self, child: str, ike: str, timeout: int = 20, check: bool = True):
        return self.host.run("swanctl", "--initiate", "--ike", ike, "--child", child, "--timeout", str(timeout),
                             check=check, timeout=timeout + 10)

    def terminate(self, ike: str, check: bool = True):
        return self.host.run("swanctl", "--terminate", "--ike", ike, "--timeout", "10", check=check)

    def sas(self, ike: str = None) -> str:
        return self.host.output("swanctl", "--list-sas", *(["--ike", ike] if ike else []))
