//! From where a request comes: the connection's other end, or what a trusted proxy says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::http::header::HeaderMap;

/// The client's address. A forwarded address counts only when a trusted proxy appended it: anybody can send the header.
pub(super) fn address(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    if !trusted.contains(&peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).map(|hop| hop.trim().parse::<IpAddr>().ok());
    // From the right: each trusted proxy vouches for the address before its own.
    let hops: Vec<Option<IpAddr>> = hops.collect();
    let first_stranger =
        hops.into_iter().rev().find(|hop| hop.is_none_or(|hop| !trusted.contains(&hop.to_canonical())));
    first_stranger.flatten().map_or(peer, |hop| hop.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(line).expect("a value"));
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|ip| ip.parse().expect("an address")).collect();
        address(Some(format!("{peer}:1").parse().expect("a peer")), &headers, &trusted).to_string()
    }

    #[test]
    fn a_strangers_header_is_not_believed() {
        assert_eq!(from("203.0.113.9", &["10.0.0.1"], &[]), "203.0.113.9");
        assert_eq!(from("203.0.113.9", &["10.0.0.1"], &["127.0.0.1"]), "203.0.113.9");
    }

    #[test]
    fn behind_a_trusted_proxy_the_last_stranger_counts() {
        assert_eq!(from("127.0.0.1", &["203.0.113.9"], &["127.0.0.1"]), "203.0.113.9");
        assert_eq!(from("127.0.0.1", &["1.1.1.1, 203.0.113.9"], &["127.0.0.1"]), "203.0.113.9", "1.1.1.1 was made up");
        assert_eq!(from("127.0.0.1", &["1.1.1.1", "203.0.113.9, 10.0.0.2"], &["127.0.0.1", "10.0.0.2"]), "203.0.113.9");
        assert_eq!(from("127.0.0.1", &["nonsense"], &["127.0.0.1"]), "127.0.0.1");
        assert_eq!(from("127.0.0.1", &[], &["127.0.0.1"]), "127.0.0.1");
    }
}
