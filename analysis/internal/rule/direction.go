package rule

import "tcpwhy/reassembly"

// OfRequest is the cause in the words of a rule: that of a response, or its like of a request.
func OfRequest(dir reassembly.Dir, cause string) string {
	switch {
	case dir == reassembly.FromServer:
		return cause
	case cause == "":
		return "request"
	}
	return cause + "-request"
}
