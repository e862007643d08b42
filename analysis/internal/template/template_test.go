package template

import (
	"strings"
	"testing"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
)

func TestOf(t *testing.T) {
	for _, tt := range []struct{ target, want string }{
		{"/", "/"},
		{"", ""},
		{"*", "*"},
		{"/report/7", "/report/{n}"},
		{"/report/7?day=3#top", "/report/{n}"},
		{"/report/7/", "/report/{n}/"},
		{"http://shop.example/item/12?x=1", "/item/{n}"},
		{"http://shop.example", "/"},
		{"shop.example:443", "shop.example:443"},
		{"/redirect/http://other.example/a", "/redirect/http://other.example/a"},
		{"/u/550e8400-e29b-41d4-a716-446655440000/photo", "/u/{uuid}/photo"},
		{"/u/550E8400-E29B-41D4-A716-446655440000.json", "/u/{uuid}.json"},
		{"/day/2024-05-01", "/day/{date}"},
		{"/day/2024-05-01T12:30:00Z/x", "/day/{date}/x"},
		{"/day/20240501", "/day/{n}"},
		{"/commit/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/commit/{hex}"},
		{"/static/app.3f9a2b1c.js", "/static/app.{hex}.js"},
		{"/static/main-7d8e9f0a1b.min.css", "/static/main-{hex}.min.css"},
		{"/watch/dQw4w9WgXcQ", "/watch/{id}"},
		{"/obj/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/obj/{id}"},
		{"/s/AbCdEf0123GhIjKl4567_-Mn", "/s/{id}"},
		{"/order-1234/items", "/order-{n}/items"},
		{"/user123", "/user{n}"},
		{"/img/12x34.png", "/img/12x34.png"},
		{"/img/0042.png", "/img/{n}.png"},
		{"/a;jsessionid=ABCDEF/b", "/a/b"},
		// words are no identifiers
		{"/api/v1/users", "/api/v1/users"},
		{"/api/v2.0/getUserByIdV2", "/api/v2.{n}/getUserByIdV2"},
		{"/facade/deadbeef", "/facade/deadbeef"},
		{"/feedface", "/feedface"},
		{"/song.mp3", "/song.mp3"},
		{"/OAuth2Callback", "/OAuth2Callback"},
		{"/internationalization/responsibilities", "/internationalization/responsibilities"},
		{"/some-long-title-of-a-page-with-many-words", "/some-long-title-of-a-page-with-many-words"},
		{"/WindowsServer2019Datacenter", "/WindowsServer2019Datacenter"},
		{"/caf%C3%A9", "/caf%C3%A9"},
		{"/\xff\xfe", "/\xff\xfe"},
		{"//", "//"},
	} {
		if got := Of(tt.target); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.target, got, tt.want)
		}
	}
}

// TestBounds: whatever comes, a template is short.
func TestBounds(t *testing.T) {
	for _, target := range []string{
		strings.Repeat("/a", 1000), "/" + strings.Repeat("x", 5000), "/" + strings.Repeat("é", 300),
	} {
		if got := Of(target); len(got) > maxOctets+len(further) {
			t.Errorf("%.20s: %d octets", target, len(got))
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, s := range []string{"/a/1", "/\xff;b", "http://h/1?q", "/a-b_c.d~e%20", "/2024-05-01T"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Of(s)
		if len(got) > maxOctets+len(further) {
			t.Errorf("%d octets", len(got))
		}
		path, _, _ := strings.Cut(s, "?")
		if strings.HasPrefix(s, "/") && Of(path) != got {
			t.Errorf("%q: the query has a part in it", s)
		}
	})
}
