package connect

import "tcpwhy/analysis/report"

// slowTLSCauses are why a TLS handshake that comes to its end takes longer than it needs.
func slowTLSCauses() []report.Cause {
	return append(slowTLSTrips(), slowTLSWork()...)
}

// slowTLSTrips are the causes that cost round trips.
func slowTLSTrips() []report.Cause {
	return []report.Cause{
		{
			Code:  oldTLSCause,
			Title: "TLS 1.2 where the client speaks 1.3",
			Side:  report.SideServer,
			Message: "The server chose TLS 1.2 or older, whose whole handshake takes a round trip " +
				"more than that of TLS 1.3, which the client offers.",
			Remedies: []report.Remedy{{
				Side: report.SideServer,
				Text: "let the server speak TLS 1.3",
				Settings: []report.Setting{
					{Product: report.Nginx, Text: "ssl_protocols TLSv1.2 TLSv1.3"},
					{Product: report.Apache, Text: "SSLProtocol -all +TLSv1.2 +TLSv1.3"},
					{Product: report.HAProxy, Text: "no ssl-max-ver below TLSv1.3"},
					{Product: report.Go, Text: "no tls.Config.MaxVersion below tls.VersionTLS13"},
					{Product: report.Node, Text: "no maxVersion below 'TLSv1.3'"},
					{Product: report.Tomcat, Text: "protocols=\"TLSv1.2+TLSv1.3\""},
				},
			}},
		},
		{
			Code:  helloRetryCause,
			Title: "server asks for another ClientHello",
			Side:  report.SideUnknown,
			Message: "The client's ClientHello had no key share that the server takes, so the " +
				"server asked for another one (HelloRetryRequest): a round trip.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "take first what clients send key shares of: X25519, or X25519MLKEM768",
					Settings: []report.Setting{
						{
							Product: report.Nginx,
							Text:    "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1",
						},
						{Product: report.Apache, Text: "SSLOpenSSLConfCmd Groups X25519:P-256"},
						{Product: report.HAProxy, Text: "curves X25519:P-256"},
						{
							Product: report.Go,
							Text:    "tls.Config.CurvePreferences (none unless needed)",
						},
					},
				},
				{
					Side: report.SideClient,
					Text: "put the server's group first",
					Settings: []report.Setting{
						{Product: report.Curl, Text: "--curves P-384:X25519"},
						{Product: report.Go, Text: "tls.Config.CurvePreferences"},
						{Product: report.Node, Text: "ecdhCurve: 'P-384:X25519'"},
					},
					After: "the groups of OpenSSL stand in openssl.cnf (Groups =)",
				},
			},
		},
		{
			Code:  notResumedCause,
			Title: "TLS session not resumed",
			Side:  report.SideUnknown,
			Message: "The handshake was a whole one, though the client had lately got a session " +
				"from this service that it could have resumed.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					When: report.SideServer,
					Text: "let all servers behind the address, and all processes, know each " +
						"other's sessions: one cache, or the same ticket keys",
					Settings: []report.Setting{
						{
							Product: report.Nginx,
							Text: "ssl_session_cache shared:SSL:10m; ssl_session_tickets on, with " +
								"one ssl_session_ticket_key on all servers",
						},
						{
							Product: report.Apache,
							Text:    "SSLSessionCache shmcb; one SSLSessionTicketKeyFile on all servers",
						},
						{Product: report.HAProxy, Text: "tls-ticket-keys FILE"},
						{
							Product: report.Go,
							Text:    "tls.Config.SetSessionTicketKeys on all servers",
						},
						{Product: report.Node, Text: "the same ticketKeys on all servers"},
					},
				},
				{
					Side: report.SideClient,
					When: report.SideClient,
					Text: "keep sessions, and offer them on the next connection; one process for " +
						"all requests, as others do not know its sessions",
					Settings: []report.Setting{
						{
							Product: report.Go,
							Text:    "tls.Config.ClientSessionCache = tls.NewLRUClientSessionCache(0)",
						},
						{
							Product: report.Curl,
							Text:    "one run, or a share handle (CURLSHOPT_SHARE)",
						},
						{Product: report.Node, Text: "one https.Agent (maxCachedSessions)"},
						{Product: report.Java, Text: "one SSLContext for all connections"},
						{Product: report.Python, Text: "one requests.Session or SSLContext"},
					},
				},
			},
		},
		{
			Code:  flightSizeCause,
			Title: "certificates do not fit into the first window",
			Side:  report.SideServer,
			Message: "What the server says in the handshake, mostly certificates, is larger than " +
				"the window of a new connection: its rest waited for a round trip.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "send less: a shorter chain, without the root; an ECDSA key; fewer names; " +
						"certificate compression (RFC 8879)",
				},
				{
					Side: report.SideServer,
					Text: "raise the initial window: `ip route change default via ... initcwnd 32` " +
						"on Linux",
				},
			},
		},
		{
			Code:  earlyDataCause,
			Title: "early data not taken",
			Side:  report.SideServer,
			Message: "The client sent its request as early data (0-RTT), the server did not take " +
				"it, and the client had to say it again.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "take early data for requests that may be repeated safely (RFC 8470), " +
						"with the same ticket keys on all servers; or do not offer it in tickets",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "ssl_early_data on; ssl_session_ticket_key"},
						{Product: report.HAProxy, Text: "bind ... allow-0rtt"},
					},
				},
			},
		},
	}
}

// slowTLSWork are those that cost a side's own time.
func slowTLSWork() []report.Cause {
	return []report.Cause{
		{
			Code:  clientStallCause,
			Title: "client takes long within the TLS handshake",
			Side:  report.SideClient,
			Message: "The client had all that it needed, and took long to go on with the TLS " +
				"handshake.",
			Remedies: []report.Remedy{
				{
					Side: report.SideClient,
					Text: "see what it does with the server's certificate: it may ask whether that " +
						"is revoked (OCSP, CRL), fetch what is missing of its chain, or look into " +
						"a slow store of keys or a token",
				},
				{
					Side: report.SideServer,
					Text: "send the whole chain, and its status along with it, so that clients need " +
						"not ask for them",
					Settings: []report.Setting{
						{
							Product: report.Nginx,
							Text:    "ssl_stapling on; intermediates in ssl_certificate",
						},
						{Product: report.Apache, Text: "SSLUseStapling on"},
						{Product: report.HAProxy, Text: "ocsp-update on"},
					},
				},
			},
		},
		{
			Code:  serverStallCause,
			Title: "server takes long within the TLS handshake",
			Side:  report.SideServer,
			Message: "The server had all that it needed, and took long to go on with the TLS " +
				"handshake.",
			Remedies: []report.Remedy{
				{
					Side: report.SideServer,
					Text: "see what it waits for: a key that another host or a module signs with, " +
						"RSA with 4096 bits (ECDSA is faster by far), a certificate that it fetches " +
						"when it is asked for, a worker that does something else meanwhile",
					Settings: []report.Setting{
						{Product: report.Nginx, Text: "worker_processes auto"},
						{Product: report.HAProxy, Text: "nbthread for all processors"},
					},
				},
			},
		},
	}
}
