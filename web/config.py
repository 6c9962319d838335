"""Settings that only the console has (`HOTLINE_WEB_…`); the rest stand in `models.settings`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConsoleSettings(BaseSettings):
    """Read once per application; times are seconds."""

    model_config = SettingsConfigDict(env_prefix="HOTLINE_WEB_", env_file=".env", extra="ignore")

    https: bool = Field(False, description="the console is reached over HTTPS: Secure cookies and HSTS")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="proxies whose X-Forwarded-* headers are believed, JSON list of networks"
    )
    health_roles: tuple[str, ...] = Field(("agent", "supervisor"), description="who may see notes on elders' health")
    threads: int = Field(96, ge=64, description="each open board holds one")
    idle_s: int = Field(3600, description="an untouched session ends after this")
    session_s: int = Field(12 * 3600, description="every session ends after this")
    watch_s: float = Field(0.3, description="how often the watcher asks whether the board has changed")
    refresh_s: float = Field(3.0, description="how often it reads the whole board in any case")
    metrics_token: str = Field("", description="who may read /metrics; empty: this machine alone")
    phone_url: str = Field(
        "",
        description="where browsers reach Asterisk's WebSocket; empty: behind the console's own proxy, or this machine",
    )
    heartbeat_s: float = Field(5.0, description="how often a quiet stream says that it is alive")
