// Package finding has what every output says of a finding alike: its name, which findings a person
// sees as one, and the display filter that shows its evidence.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"tcpwhy/analysis/report"
)

// NameOf names what is compared between reports: a rule and cause at a service.
func NameOf(rule, cause, service string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{rule, cause, service}, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// IDs names each finding after what it is, not after its place in the report: the name stays the
// same when other findings come or go, or when the capture is taken again.
func IDs(findings []report.Finding) []string {
	ids := make([]string, len(findings))
	seen := map[string]int{}
	for i := range findings {
		f := &findings[i]
		key := strings.Join([]string{f.Rule, f.Cause, f.Client.String(), f.Server.String()}, "\x00")
		sum := sha256.Sum256([]byte(key))
		id := hex.EncodeToString(sum[:6])
		seen[id]++
		if seen[id] > 1 {
			id += "-" + strconv.Itoa(seen[id])
		}
		ids[i] = id
	}
	return ids
}
