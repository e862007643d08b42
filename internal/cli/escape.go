package cli

import (
	"strings"

	"tcpwhy/output/mask"
)

// visible is a message that a terminal may be shown, on one line: file names and what was typed may
// hold anything, which is spelled out as it is in reports.
func visible(message string) string {
	return mask.Visible(strings.ReplaceAll(message, "\n", "; "))
}
