package connect

import (
	"cmp"
	"slices"

	"tcpwhy/analysis/internal/ledger"
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
	"tcpwhy/reassembly/exchange"
)

const tlsAlertRule = "tls-alert"

// TLSAlert is the rule about TLS connections that an alert ended.
var TLSAlert = &rule.Detector{Rule: report.Rule{
	Name:  tlsAlertRule,
	Title: "TLS alert",
	Doc: `What happens
One side ends the TLS connection and says why, in an alert (RFC 8446 section 6): it does not accept
the version, the cipher suites, the name or the certificate that the other offers.

How it is recognised
An alert record in clear, with a description other than close_notify and user_canceled, before the
handshake was complete: the cause is named after its description. A handshake_failure of a server
that had answered the ClientHello is not about what both have in common: it had chosen by then.
client-certificate: the server
says certificate_required, or, up to TLS 1.2, handshake_failure behind the empty Certificate with
which the client answered its CertificateRequest. hidden: an alert that is
encrypted, known by its record type or, from TLS 1.3 on, by its size, with which the handshake ends,
or which the server sends in place of an answer to what it has received. Its description is not
readable then.

How cost is counted
What the attempt, or the exchange, took until the alert.

When it is wrong
What an encrypted alert says is not known: in place of an answer it may be a close_notify. Of a
connection whose early data (0-RTT) may have been taken, an encrypted alert of the server behind the
request is not accused: the answer may have come within its first flight. Nor is one if the capture
lacks octets of the server's, as the answer may be among them. Alerts
may be lost behind a RST, which then ends the handshake without a word (tls-handshake/broken-off).`,
	Causes:     alertCauses(),
	References: []string{"RFC 8446 section 6.2", "RFC 5246 section 7.2", "RFC 6066 section 3"},
},
	Rests:      rule.Content,
	Attempts:   true,
	Beside:     true,
	When:       rule.Secured,
	Exchange:   runTLSAlert,
	Across:     failedTLS,
	Vocabulary: tlsWords,
}

// runTLSAlert looks for the alert that ended an exchange.
func runTLSAlert(p *rule.Pass) {
	dir, a := ledger.AlertEnded(p.Conn, p.Exchange)
	if a == nil || a.Hidden && p.Exchange.Request != nil && // the capture may lack the answer
		ledger.Lacks(p.Conn, &p.Conn.Half[reassembly.FromServer]) {
		return
	}
	start := p.Draft.From
	took := max(0, a.At.Time-start)
	cl := rule.Claim{
		Rule:       tlsAlertRule,
		Cause:      hiddenAlert,
		Confidence: report.ConfidenceHigh,
		Side:       rule.SideOf(dir),
		Referred:   true,
		Least:      report.Medium,
		Most:       rule.AtMost(report.High),
		Occ: rule.Occurrence{
			Start: start,
			End:   start + took,
			Cost:  report.Cost{Low: took, Expected: took, High: took},
		},
	}
	said := rule.Shows(a.At, cl.Side, alertHidden)
	if a.Hidden {
		cl.Says = []rule.Said{hiddenWhen(p, dir)}
	} else {
		name := alertName(a.Description)
		cl.Cause, cl.Confidence = alertCause(a.Description), report.Proven
		if a.Description == handshakeFailure && ledger.Agreed(p.Conn, dir, a) {
			cl.Cause = "other"
		}
		if ledger.WantsCertificate(p.Conn, dir, a) {
			cl.Cause, cl.Confidence = certificateWanted, report.ConfidenceHigh // it says less
		}
		cl.Says = []rule.Said{rule.Say(alertSays, int64(cl.Side), int64(a.Description)).With(name)}
		said = rule.Shows(a.At, cl.Side, alertInClear).With(name)
	}
	cl.Occ.Proof = append(alertProof(p), said)
	slices.SortStableFunc(cl.Occ.Proof, func(a, b rule.Evidence) int {
		return cmp.Compare(a.Mark.Time, b.Mark.Time)
	})
	p.Report(cl)
}

// hiddenWhen says when an encrypted alert came, which tells what it is mostly about.
func hiddenWhen(p *rule.Pass, dir reassembly.Dir) rule.Said {
	side := int64(rule.SideOf(dir))
	switch t := p.Conn.TLS; {
	case dir == reassembly.FromClient:
		return rule.Say(hiddenOfClient, side)
	case ledger.Seen(t.ClientFinished) || p.Exchange.Request != nil:
		return rule.Say(hiddenOfServer, side)
	}
	return rule.Say(hiddenEarly, side)
}

// alertProof shows what the alert answers.
func alertProof(p *rule.Pass) (out []rule.Evidence) {
	if m := p.Exchange.Request; m != nil {
		return []rule.Evidence{rule.Shows(m.Start, report.SideClient, askedInVain)}
	}
	t := p.Conn.TLS
	if ledger.Seen(t.ClientHello) {
		out = append(out, rule.Shows(t.ClientHello, report.SideClient, clientHello))
	}
	if ledger.Seen(t.ServerHello) {
		out = append(out, rule.Shows(t.ServerHello, report.SideServer, serverHello))
	}
	if ledger.Seen(t.CertificateRequest) && ledger.Seen(t.NoCertificate) {
		out = append(out, rule.Shows(t.NoCertificate, report.SideClient, noCertificate))
	}
	return out
}

const (
	// handshakeFailure is an alert (RFC 8446 §6).
	handshakeFailure = 40
	// hiddenAlert is the cause of those that cannot be read.
	hiddenAlert = "hidden"
	// certificateWanted is the cause where the client has no certificate that the server wants.
	certificateWanted = "client-certificate"
)

// alertCause is the cause of an alert: alerts with one remedy have one.
func alertCause(description uint8) string {
	switch description {
	case handshakeFailure, 47, 71, 109, 110:
		return "handshake-failure"
	case 41, 42, 43, 44, 45, 46, 49:
		return "certificate"
	case 116:
		return certificateWanted
	case 48:
		return "unknown-ca"
	case 70, 86:
		return "protocol-version"
	case 112:
		return "unrecognized-name"
	case 120:
		return "no-application-protocol"
	}
	return "other"
}

// alertName is the name of an alert (RFC 8446 §6, and the registry of TLS alerts for those that
// only older versions have).
func alertName(description uint8) string {
	if int(description) < len(alertNames) && alertNames[description] != "" {
		return alertNames[description]
	}
	return "unknown"
}

var alertNames = [...]string{
	exchange.CloseNotifyAlert: "close_notify", 10: "unexpected_message", 20: "bad_record_mac",
	21: "decryption_failed", 22: "record_overflow", 30: "decompression_failure",
	40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
	43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired",
	46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied",
	50: "decode_error", 51: "decrypt_error", 52: "too_many_cids_requested",
	60: "export_restriction", 70: "protocol_version", 71: "insufficient_security",
	80: "internal_error", 86: "inappropriate_fallback",
	exchange.UserCanceledAlert: "user_canceled", 100: "no_renegotiation",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable",
	112: "unrecognized_name", 113: "bad_certificate_status_response",
	114: "bad_certificate_hash_value", 115: "unknown_psk_identity", 116: "certificate_required",
	120: "no_application_protocol", 121: "ech_required",
}
