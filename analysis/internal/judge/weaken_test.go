package judge

import (
	"testing"

	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/reassembly"
)

func TestWeaken(t *testing.T) {
	tests := []struct {
		name           string
		client, server reassembly.Half
		want           report.Confidence
		most           report.Severity
	}{
		{"both directions, nothing missing", reassembly.Half{Segments: 5, Bytes: 10},
			reassembly.Half{Segments: 5, Bytes: 10},
			report.Proven, report.Critical},
		{"octets missing", reassembly.Half{Segments: 5, Bytes: 10},
			reassembly.Half{Segments: 5, Missing: 1448},
			report.ConfidenceMedium, report.Critical},
		{"the server alone", reassembly.Half{}, reassembly.Half{Segments: 5, Bytes: 10},
			report.ConfidenceLow, report.Info},
		{"the client alone", reassembly.Half{Segments: 5, Bytes: 10}, reassembly.Half{},
			report.ConfidenceLow, report.Info},
		{"a SYN that nobody answered", reassembly.Half{Segments: 3}, reassembly.Half{},
			report.Proven, report.Critical},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &reassembly.Conn{Half: [2]reassembly.Half{tt.client, tt.server}}
			claims := []rule.Claim{{Confidence: report.Proven}}
			Weaken(c, claims)
			if got := claims[0]; got.Confidence != tt.want || got.Most.Severity() != tt.most {
				t.Errorf("confidence %v, severity up to %v; want %v, %v", got.Confidence,
					got.Most.Severity(), tt.want, tt.most)
			}
		})
	}
}
