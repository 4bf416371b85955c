package main

import "testing"

func TestUnheard(t *testing.T) {
	for address, want := range map[string]bool{
		"https://eid.example": true, "https://eid.example:8443/x": true, "http://127.0.0.1:7060": true, "http://[::1]:7060": true,
		"http://eid.example": false, "http://127.0.0.1:x@evil.example": false, "http://127.0.0.1@evil.example": false, "https://a:b@eid.example": false,
		"http://127.0.0.1.evil.example": false, "http://localhost.evil.example": false, "ftp://eid.example": false, "https://": false, "eid.example": false, "": false, "://": false,
	} {
		if unheard(address) != want {
			t.Errorf("%q: %t", address, !want)
		}
	}
}
