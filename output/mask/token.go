package mask

import (
	"math"
	"strings"
)

// tokenPrefixes begin credentials that their makers mark, so that scanners find them: those of
// GitHub, GitLab, Slack, Stripe, OpenAI, AWS, Google, npm, DigitalOcean, SendGrid, Hugging Face,
// PyPI, Shopify, Square and Twilio, as their documentation has them.
var tokenPrefixes = [...]string{
	"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-",
	"xoxs-", "sk_live_", "sk_test_", "rk_live_", "sk-", "AKIA", "ASIA", "AIza", "ya29.", "npm_",
	"dop_v1_", "SG.", "hf_", "pypi-", "shpat_", "sq0atp-", "SK",
}

const (
	// leastToken is how long what follows a prefix is at least, and leastSecret how long something
	// without one: 24 octets, as 128 bits in base64 have (RFC 4648 §4) with their padding.
	leastToken  = 16
	leastSecret = 24
	// leastEntropy is how many bits each character of a secret has at least, by how often each is
	// used: 24 random hexadecimal digits have 3.4, words with hyphens as many, but no digits.
	leastEntropy = 3.0
	// leastGroups is how many groups of digits a secret has at least: in 24 random characters of
	// base64 there are fewer than two once in a hundred times.
	leastGroups = 2
)

// maskTokens hides what looks like a credential in a path: a signed token (RFC 7519), one with a known
// beginning, or a long segment that chance has made.
func maskTokens(path string) string {
	if len(path) < leastToken {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if isToken(s) {
			segments[i] = Hidden
		}
	}
	return strings.Join(segments, "/")
}

// isToken reports whether a segment of a path looks like a credential.
func isToken(s string) bool {
	if len(s) < leastToken {
		return false
	}
	if strings.HasPrefix(s, "eyJ") && strings.Count(s, ".") >= 2 {
		return true
	}
	for _, prefix := range tokenPrefixes {
		if rest, found := strings.CutPrefix(s, prefix); found && len(rest) >= leastToken &&
			!strings.ContainsAny(rest, " .") && groupsOfDigits(rest) > 0 {
			return true
		}
	}
	return isSecret(s)
}

// isSecret reports whether chance made s: letters and digits without the hyphens between words. What
// hyphens part in the places of a UUID names something, and is no secret.
func isSecret(s string) bool {
	if len(s) < leastSecret || groupsOfDigits(s) < leastGroups {
		return false
	}
	longest, run := 0, 0
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case c >= 'a' && c <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '_' || s[i] == '+':
			run++
		default:
			run = 0
		}
		longest = max(longest, run)
	}
	return longest >= leastSecret && entropy(s) >= leastEntropy
}

// groupsOfDigits is how many groups of digits s has.
func groupsOfDigits(s string) (n int) {
	digit := func(i int) bool { return s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if digit(i) && (i == 0 || !digit(i-1)) {
			n++
		}
	}
	return n
}

// entropy is how many bits a character of s has, by how often each is used in it.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
