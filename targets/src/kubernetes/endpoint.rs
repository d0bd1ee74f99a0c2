//! Addresses of services: which of them are inside of a cluster.

/// Where a service listens.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint<'t> {
    pub(super) host: &'t str,
    pub(super) port: u16,
}

impl<'t> Endpoint<'t> {
    /// Reads `http://host:port/path` or `https://…`; nothing where the text is anything else.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let (rest, default) = match text.split_once("://")? {
            ("http", rest) => (rest, 80),
            ("https", rest) => (rest, 443),
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (authority, default),
        };
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        (!host.is_empty() && host.bytes().all(letter)).then_some(Self { host, port })
    }

    /// Service and namespace, where the name is one of the cluster's own: `service.namespace.svc`.
    pub(super) fn service(&self) -> Option<(&'t str, &'t str)> {
        let host = self.host.strip_suffix(".cluster.local").unwrap_or(self.host);
        let mut labels = host.strip_suffix(".svc")?.split('.');
        match (labels.next(), labels.next(), labels.next()) {
            (Some(service), Some(namespace), None) if !service.is_empty() && !namespace.is_empty() => {
                Some((service, namespace))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_told_apart() {
        let read = |text| Endpoint::read(text).map(|found| (found.port, found.service()));
        assert_eq!(
            read("http://prometheus.monitoring.svc:9090"),
            Some((9090, Some(("prometheus", "monitoring"))))
        );
        assert_eq!(read("https://a.b.svc.cluster.local/v1"), Some((443, Some(("a", "b")))));
        assert_eq!(read("http://a.b.svc"), Some((80, Some(("a", "b")))));
        assert_eq!(read("https://ai.acme.example"), Some((443, None)));
        for foreign in
            ["https://a.b.c.svc", "https://svc", "https://.b.svc", "https://b.svc", "https://x.svc.acme"]
        {
            assert_eq!(read(foreign).map(|(_, service)| service), Some(None), "{foreign}");
        }
        for broken in [
            "",
            "a.b.svc",
            "ftp://a",
            "http://",
            "http://a:0",
            "http://a:x",
            "http://u@a",
            "http://[::1]",
            "http://A",
        ] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
