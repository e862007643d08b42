package mask

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestTarget(t *testing.T) {
	tests := []struct {
		name, raw, masked, shown string
	}{
		{"plain", "/api/items", "/api/items", "/api/items"},
		{"values", "/a?name=bob&b=1", "/a?name=…&b=…", "/a?name=bob&b=1"},
		{"semicolons", "/a?name=bob;b=1", "/a?name=…&b=…", "/a?name=bob;b=1"},
		{"a bare token", "/a?s3cret", "/a?…", "/a?s3cret"},
		{"nothing after the question mark", "/a?", "/a?", "/a?"},
		{"an escaped equals sign", "/a?k%3ds3cret", "/a?k=…", "/a?k%3ds3cret"},
		{
			"a path parameter",
			"/a;jsessionid=s3cret/b",
			"/a;jsessionid=…/b",
			"/a;jsessionid=s3cret/b",
		},
		{
			"an escaped question mark",
			"/login%3Ftoken%3Ds3cret",
			"/login%3Ftoken=…",
			"/login%3Ftoken%3Ds3cret",
		},
		{"a fragment", "/a#s3cret", "/a", "/a#s3cret"},
		{"userinfo", "http://u:s3cret@h/p", "http://…@h/p", "http://…@h/p"},
		{
			"userinfo with a question mark: nobody knows where it ends",
			"http://u:s3?cret@h/p?q=s3cret",
			"http://…",
			"http://…",
		},
		{"userinfo with a slash: nor here", "http://u:s3/cret@h/p", "http://…", "http://…"},
		{"an @ in a query behind what is no port", "/f/://h:x?q=a@s3cret", "/f/://…", "/f/://…"},
		{"a user alone", "http://s3cret@h/", "http://…@h/", "http://…@h/"},
		{"a port is no password", "http://h:8080/@u", "http://h:8080/@u", "http://h:8080/@u"},
		{
			"an IPv6 address is no password",
			"http://[::1]:80/@u",
			"http://[::1]:80/@u",
			"http://[::1]:80/@u",
		},
		{
			"a URL in a path",
			"/fetch/http://u:s3cret@h/",
			"/fetch/http://…@h/",
			"/fetch/http://…@h/",
		},
		{"a URL in a value", "/f?u=http://u:s3cret@h/", "/f?u=…", "/f?u=http://…@h/"},
		{"authority form", "u:s3cret@h:443", "…@h:443", "…@h:443"},
		{"asterisk", "*", "*", "*"},
		{"escape sequence", "/\x1b[31mred", `/\x1b[31mred`, `/\x1b[31mred`},
		{"8-bit escape sequence", "/\u009b31m", `/\xc2\x9b31m`, `/\xc2\x9b31m`},
		{
			"right-to-left override",
			"/\u202egpj.exe",
			`/\xe2\x80\xaegpj.exe`,
			`/\xe2\x80\xaegpj.exe`,
		},
		{"invalid UTF-8", "/\xff", `/\xff`, `/\xff`},
		{
			"a signed token",
			"/confirm/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
			"/confirm/…",
			"/confirm/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
		},
		{
			"a token with a known beginning",
			"/hook/ghp_16C7e42F292c6912E7/x",
			"/hook/…/x",
			"/hook/ghp_16C7e42F292c6912E7/x",
		},
		{
			"what chance made",
			"/reset/Zk3v9Qx7Lw2Rt5Ym8Np1Bd4H",
			"/reset/…",
			"/reset/Zk3v9Qx7Lw2Rt5Ym8Np1Bd4H",
		},
		{
			"names are no tokens",
			"/u/550e8400-e29b-41d4-a716-446655440000/internationalization/report-2024-05-01-final-2",
			"/u/550e8400-e29b-41d4-a716-446655440000/internationalization/report-2024-05-01-final-2",
			"/u/550e8400-e29b-41d4-a716-446655440000/internationalization/report-2024-05-01-final-2",
		},
		{
			"nor are long numbers",
			"/n/123456789012345678901234567890",
			"/n/123456789012345678901234567890",
			"/n/123456789012345678901234567890",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Target(tt.raw, false, 512); got != tt.masked {
				t.Errorf("Target(%q) = %q, want %q", tt.raw, got, tt.masked)
			}
			if got := Target(tt.raw, true, 512); got != tt.shown {
				t.Errorf("Target(%q) with values = %q, want %q", tt.raw, got, tt.shown)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	if got, want := Shorten("/abcdefghijklmnop", 10), "/abcde…nop"; got != want {
		t.Errorf("shorten = %q, want %q", got, want)
	}
	if got := Shorten("/abc", 4); got != "/abc" {
		t.Errorf("shorten = %q, want it unchanged", got)
	}
}

func TestVisible(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Grüße – 40 µs", "Grüße – 40 µs"},
		{"a\x1b]0;t\x07", `a\x1b]0;t\x07`},
		{"a\u202eb", `a\u202eb`},
		{"a\u009bb", `a\x9bb`},
		{"a\xc3", `a\xc3`},
		{"a\nb\r\t", `a\x0ab\x0d\x09`},
		{"\U000e0041", `\U000e0041`},
		{"\uFFFD", "\uFFFD"},
	}
	for _, tt := range tests {
		if got := Visible(tt.in); got != tt.want {
			t.Errorf("visible(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzTarget plants a value in a query and looks for it, and for anything a terminal would act on.
func FuzzTarget(f *testing.F) {
	f.Add("/a?x=", "s3cret")
	f.Add("http://u:p?x=", "://@")
	f.Add("/a?", "%3d=")
	f.Add("/a:;//", "u@h")
	f.Add(
		"/abcdefghijklmnopqrstuvwxyz?abcdefghijklmnopqrst=1&abcdefg=2&",
		"bcdefghijklmnopqrstuvwxyz=3&z=4",
	)
	f.Add(
		"h:1111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
		"/@x",
	)
	f.Fuzz(func(t *testing.T, prefix, value string) {
		if at := strings.LastIndexByte(prefix, '?'); at >= 0 && strings.HasPrefix(prefix, "/") {
			const secret = "S3CRET7"
			delimiters := strings.NewReplacer("&", "", ";", "")
			raw := prefix[:at] + "?k=" + delimiters.Replace(value) + secret
			if strings.Contains(prefix, secret) {
				return
			}
			if got := Target(raw, false, 1<<20); strings.Contains(got, secret) {
				t.Errorf("Target(%q) = %q shows the value", raw, got)
			}
		}
		if host := Host(prefix + value); Host(host) != host {
			t.Errorf("Host(%q) = %q, and of that %q", prefix+value, host, Host(host))
		}
		for _, show := range []bool{false, true} {
			got := Target(prefix+value, show, 80)
			if n := utf8.RuneCountInString(got); n > 80 {
				t.Errorf("Target(%q) is %d characters long", prefix+value, n)
			}
			if again := Target(got, show, 80); again != got {
				t.Errorf("Target(%q) = %q, and of that %q", prefix+value, got, again)
			}
			for _, r := range got {
				if r == utf8.RuneError || !unicode.IsPrint(r) {
					t.Errorf("Target(%q) = %q is not printable", prefix+value, got)
				}
			}
		}
	})
}
