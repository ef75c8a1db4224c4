"""Which variables of the harness's own environment a client gets: what a program usually needs, and what is listed.

The law: nothing of the shell reaches a client because somebody forgot it there. A client that does not find its address
dials its production default, and must find no production token then. What is usual names no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

ALL = "*"  # in the list: everything, as before there was one

# What is usual: who and where, how to write, where to put files, and where tool chains find themselves. Each is a name,
# or the beginning of several with `*`.
USUAL = tuple(
    """
    PATH HOME USER LOGNAME SHELL TERM TZ LANG LANGUAGE LC_* TMPDIR TMP TEMP
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH PKG_CONFIG_PATH
    SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
    PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONIOENCODING PYTHONUTF8 PYTHONHASHSEED
    PYTHONWARNINGS VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYENV_ROOT UV_CACHE_DIR
    NODE_PATH NODE_OPTIONS NVM_DIR NVM_BIN VOLTA_HOME FNM_DIR COREPACK_HOME npm_config_cache DENO_DIR BUN_INSTALL
    GOROOT GOPATH GOCACHE GOMODCACHE GOFLAGS GOTOOLCHAIN GOENV CGO_ENABLED
    CARGO_HOME CARGO_TARGET_DIR RUSTUP_HOME RUSTUP_TOOLCHAIN RUST_BACKTRACE
    JAVA_HOME JDK_HOME JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS M2_HOME MAVEN_HOME GRADLE_HOME GRADLE_USER_HOME
    DOTNET_ROOT DOTNET_CLI_HOME NUGET_PACKAGES GEM_HOME GEM_PATH RBENV_ROOT ASDF_DIR ASDF_DATA_DIR MISE_DATA_DIR
    """.split()
)
SHELLS = ("PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "HOSTNAME", "PS1", "_")  # a shell's own, of no use to a client


def inherited(environ: Mapping[str, str], listed: Iterable[str]) -> dict[str, str]:
    """Those of `environ` that are usual, or that `listed` names: each by its name, or by its beginning and `*`."""
    patterns = (*USUAL, *listed)
    return {name: value for name, value in environ.items() if any(fnmatchcase(name, one) for one in patterns)}


def left_out(environ: Mapping[str, str], listed: Iterable[str]) -> list[str]:
    """The names of the others, but for ours, a shell's own, and proxies, which no client gets."""
    kept = inherited(environ, listed)
    names = (name for name in environ if name not in kept and name not in SHELLS)
    return sorted(name for name in names if not name.startswith("BROKERCERT_") and not name.lower().endswith("_proxy"))
