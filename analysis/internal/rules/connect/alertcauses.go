package connect

import "tcpwhy/analysis/report"

// alertCauses are the causes of tls-alert.
func alertCauses() []report.Cause {
	return []report.Cause{
		{
			Code:  "handshake-failure",
			Title: "TLS: nothing in common",
			Message: "The two sides found no cipher suite, key exchange group or signature " +
				"algorithm that both accept.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "offer suites and groups that the client has, and a certificate of a " +
						"kind that it accepts (RSA beside ECDSA)",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "ssl_ciphers, ssl_ecdh_curve"},
						{Product: report.Apache, Text: "SSLCipherSuite"},
						{Product: report.HAProxy, Text: "ssl-default-bind-ciphers"},
					},
				},
				{
					Side: report.SideClient,
					Text: "update the TLS library; see what it offers: `openssl s_client " +
						"-connect HOST:PORT -cipher ... -groups ...`. Some servers say the same " +
						"if the client sends no name (SNI)",
				},
			},
		},
		{
			Code:    "certificate",
			Title:   "TLS: certificate not accepted",
			Message: "One side does not accept the other's certificate, or lacks one.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "renew the certificate; send one for this name, with its intermediates",
				},
				{
					Side: report.SideClient,
					Text: "if the server asks for a client's certificate: send one that it " +
						"trusts (curl --cert, --key); look at the clock: a wrong one makes " +
						"certificates expire",
				},
			},
		},
		{
			Code:  certificateWanted,
			Title: "TLS: client certificate required",
			Message: "The server accepts only clients with a certificate, and the client has sent " +
				"none.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "send a certificate of an authority that the server names, with its key " +
						"(curl --cert, --key)",
				},
				{
					Side: report.SideServer,
					Text: "require none where clients need not have one",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "ssl_verify_client off, or optional"},
						{Product: report.Apache, Text: "SSLVerifyClient none, or optional"},
						{Product: report.HAProxy, Text: "verify optional"},
						{Product: report.Node, Text: "rejectUnauthorized false"},
						{Product: report.Go, Text: "tls.Config.ClientAuth VerifyClientCertIfGiven"},
					},
				},
			},
		},
		{
			Code:  "unknown-ca",
			Title: "TLS: certificate of an unknown authority",
			Message: "One side does not know who signed the other's certificate: an intermediate " +
				"certificate is not sent, or the authority is not trusted.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "send the chain up to a public authority (fullchain.pem)",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "ssl_certificate fullchain.pem"},
						{Product: report.Apache, Text: "SSLCertificateFile fullchain.pem"},
					},
				},
				{
					Side: report.SideClient,
					Text: "trust the authority: update ca-certificates, or name it (curl " +
						"--cacert, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE, SSL_CERT_FILE)",
				},
			},
		},
		{
			Code:    "protocol-version",
			Title:   "TLS: no version in common",
			Message: "The two sides have no version of TLS in common.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "allow the versions that clients have; TLS 1.2 and 1.3 are what there " +
						"should be (RFC 9325)",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "ssl_protocols TLSv1.2 TLSv1.3"},
						{Product: report.Apache, Text: "SSLProtocol -all +TLSv1.2 +TLSv1.3"},
						{Product: report.HAProxy, Text: "ssl-min-ver TLSv1.2"},
					},
				},
				{Side: report.SideClient, Text: "update the TLS library, or let it use TLS 1.2"},
			},
		},
		{
			Code:    "unrecognized-name",
			Title:   "TLS: name not known",
			Message: "The server has no certificate for the name that the client sent (SNI).",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "add the name, or a default certificate",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "server_name, ssl_reject_handshake off"},
						{Product: report.HAProxy, Text: "crt of that name, no strict-sni"},
					},
				},
				{
					Side: report.SideClient,
					Text: "ask by the name that the server knows; look where DNS points",
				},
			},
		},
		{
			Code:  "no-application-protocol",
			Title: "TLS: no application protocol in common",
			Message: "The client offered only application protocols (ALPN) that the server does " +
				"not have.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "offer what clients ask for, h2 and http/1.1",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "http2 on"},
						{Product: report.HAProxy, Text: "alpn h2,http/1.1"},
					},
				},
				{
					Side: report.SideClient,
					Text: "offer http/1.1 as well; gRPC needs a server, or proxy, with HTTP/2",
				},
			},
		},
		{
			Code:    hiddenAlert,
			Title:   "TLS ended by an alert",
			Message: "One side ended the TLS connection with an alert, which is encrypted here.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "look at the client's log: what it does not accept is mostly the " +
						"server's certificate. If the server sent the alert, it mostly wants a " +
						"certificate of the client, or another one",
				},
				{
					Side: report.SideServer,
					Text: "look at the log of what terminates TLS; send the whole chain of a " +
						"certificate for this name",
				},
			},
		},
		{
			Code:    "other",
			Title:   "TLS ended by an alert",
			Message: "One side ended the TLS handshake with an alert.",
			Remedies: []report.Remedy{
				{Side: report.SideServer, Text: "look at the log of what terminates TLS"},
				{Side: report.SideClient, Text: "look at the client's log, and for updates"},
			},
		},
	}
}
