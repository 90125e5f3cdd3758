//! Which database a URL names. Anything but the two schemes is an error, so a slip of the pen makes no stray file.

use std::{path::PathBuf, str::FromStr};

/// A database's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file: `sqlite:folder/file.db` or `sqlite:///folder/file.db`.
    Sqlite(PathBuf),
    /// A server: `postgres://user:password@host:port/database`.
    Postgres(String),
}

/// Why a URL names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// The scheme is neither of the two.
    #[error("read the database URL: it must begin with sqlite: or postgres://")]
    Scheme,
    /// `sqlite:` without a file, or with a memory database that a pool cannot share.
    #[error("read the database URL: sqlite: needs the path of a file")]
    File,
    /// The folder of the SQLite file does not exist.
    #[error("read the database URL: the folder {0} does not exist")]
    Folder(PathBuf),
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        sqlite_file(path.ok_or(DatabaseUrlError::Scheme)?).map(Self::Sqlite)
    }
}

fn sqlite_file(path: &str) -> Result<PathBuf, DatabaseUrlError> {
    if path.is_empty() || path.contains(":memory:") || path.starts_with("file:") || path.ends_with('/') {
        return Err(DatabaseUrlError::File);
    }
    let path = PathBuf::from(path);
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            Err(DatabaseUrlError::Folder(folder.to_path_buf()))
        }
        _ => Ok(path),
    }
}

impl DatabaseUrl {
    /// `sqlite` or `postgres`.
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Whether what is sent to the database could be read on the way: this build of the PostgreSQL client speaks no
    /// TLS, so only a socket or the loopback interface is private.
    pub fn crosses_the_network(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(url) => !postgres_hosts(url).iter().all(|host| is_local(host)),
        }
    }
}

/// Every host a PostgreSQL URL names: before the path, and in the parameters `host` and `hostaddr`.
fn postgres_hosts(url: &str) -> Vec<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = rest.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let named = parameters.split('&').filter_map(|pair| pair.split_once('='));
    let named = named.filter(|(name, _)| matches!(*name, "host" | "hostaddr")).map(|(_, value)| value);
    hosts.split(',').chain(named.flat_map(|value| value.split(','))).map(without_port).collect()
}

fn without_port(host: &str) -> String {
    let host = host.replace("%2F", "/").replace("%2f", "/");
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address.to_owned(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default().to_owned(),
        None => host,
    }
}

fn is_local(host: &str) -> bool {
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    host.is_empty() || host.starts_with('/') || host == "localhost" || loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_chooses_the_backend() {
        assert_eq!("sqlite:a.db".parse(), Ok(DatabaseUrl::Sqlite("a.db".into())));
        let file = std::env::temp_dir().join("a.db");
        assert_eq!(format!("sqlite://{}", file.display()).parse(), Ok(DatabaseUrl::Sqlite(file)));
        assert!(matches!("postgresql://u@localhost/d".parse(), Ok(DatabaseUrl::Postgres(_))));
    }

    #[test]
    fn a_mistyped_url_is_an_error_and_no_file() {
        for url in ["postgre://localhost/d", "scilit.db", "", "mysql://x/y", "SQLITE:a.db"] {
            assert_eq!(url.parse::<DatabaseUrl>(), Err(DatabaseUrlError::Scheme), "{url}");
        }
        assert_eq!("sqlite::memory:".parse::<DatabaseUrl>(), Err(DatabaseUrlError::File));
        assert!(matches!("sqlite:/no/such/folder/a.db".parse::<DatabaseUrl>(), Err(DatabaseUrlError::Folder(_))));
    }

    #[test]
    fn only_sockets_and_loopback_stay_on_the_machine() {
        let crosses = |url: &str| url.parse::<DatabaseUrl>().expect("a URL").crosses_the_network();
        for local in [
            "postgres://u:p@localhost/d",
            "postgres://u@127.0.0.1:5432/d",
            "postgres://u@[::1]:5432/d",
            "postgres:///d?host=/run/postgresql",
            "postgres://u@%2Frun%2Fpostgresql/d",
        ] {
            assert!(!crosses(local), "{local}");
        }
        for remote in ["postgres://u:p@db.example/d", "postgres://u@10.0.0.1:5432/d", "postgres:///d?host=db.example"] {
            assert!(crosses(remote), "{remote}");
        }
    }
}
