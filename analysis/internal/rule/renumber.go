package rule

import "strings"

// Renumber gives the connections and exchanges that are named in what is said other numbers, in the
// words of a vocabulary.
func (s *Said) Renumber(vocabulary []Words, conn, exchange func(int) int) {
	if s.Words == 0 || int(s.Words) >= len(vocabulary) {
		return
	}
	rest, next := vocabulary[s.Words].Text, 0
	for next < len(s.N) {
		_, tail, found := strings.Cut(rest, "{")
		if !found {
			return
		}
		verb, after, _ := strings.Cut(tail, "}")
		switch verb {
		case "conn":
			s.N[next] = int64(conn(int(s.N[next])))
		case "exchange":
			s.N[next] = int64(exchange(int(s.N[next])))
		}
		if verb != "text" {
			next++
		}
		rest = after
	}
}
