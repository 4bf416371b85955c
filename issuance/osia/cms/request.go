package cms

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
)

// attributes are the names of a person's data, which the interface leaves to its users: those
// of the population register's (pr) where it has them; and as `tamthe enrol` has them.
var attributes = []struct{ theirs, ours string }{
	{"personalNumber", "number"},
	{"lastName", "surname"},
	{"firstName", "given"},
	{"gender", "sex"},
	{"dateOfBirth", "birth"},
	{"nationality", "nationality"},
	{"placeOfOrigin", "origin"},
	{"residence", "residence"},
	{"ethnicity", "ethnicity"},
	{"religion", "religion"},
	{"features", "features"},
	{"father", "father"},
	{"mother", "mother"},
	{"spouse", "spouse"},
}

// meta is how a credential is to be made, as it is stored: nothing of it is about the person.
type meta struct {
	Person    string `json:"person,omitempty"` // the system's name for the person; empty: the number
	PersonMAC string `json:"person_mac"`
	Priority  int    `json:"priority"`
	Profile   string `json:"profile"`
	Type      string `json:"type"`
	Other     string `json:"other,omitempty"`
	Reason    string `json:"reason"`
	Authority string `json:"authority,omitempty"`
	Office    string `json:"office,omitempty"`
	Parent    string `json:"parent,omitempty"`
}

// order is a credential request that was read. It holds personal data.
type order struct {
	meta     meta
	personID string
	person   json.RawMessage
	portrait []byte
}

var (
	requestKeys   = []string{"credentialRequestId", "status", "requestData", "personId", "biographicData", "biometricData", "credentialIds", "encryption", "integrity"}
	dataKeys      = []string{"priority", "credentialProfileId", "credentialProfileVersion", "credentialProfileSubtype", "numberOfPages", "requestType", "requestTypeOther", "validFromDate", "validToDate", "credentialNumber", "issuingAuthority", "deliveryOffice", "deliveryAddress", "parentCredentialId", "others"}
	biometricKeys = []string{
		"biometricType", "biometricSubType", "instance", "encounterId", "image", "imageRef", "captureDate", "captureDevice", "impressionType", "width", "height", "bitdepth", "mimeType", "resolution", "compression",
		"missing", "metadata", "comment", "template", "templateRef", "templateFormat", "quality", "qualityFormat", "algorithm", "vendor", "encryption", "integrity",
	}
)

// parseOrder reads a CredentialRequest. What it demands and nobody does is refused, never
// passed over.
func (s *Server) parseOrder(id string, b []byte) (*order, error) {
	o, err := object(b, "the request", requestKeys...)
	if err != nil {
		return nil, err
	}
	if err := outline(id, o); err != nil {
		return nil, err
	}
	out := &order{}
	if out.personID, _, err = text(o, "personId"); err != nil {
		return nil, err
	}
	if err := s.readData(o["requestData"], &out.meta); err != nil {
		return nil, err
	}
	who, err := out.readPerson(o["biographicData"])
	if err != nil {
		return nil, err
	}
	switch {
	case isName(out.personID):
		out.meta.Person = out.personID
	case out.personID != string(who.Number):
		return nil, problem(CodeName, "personId is a name of letters, digits, dots, hyphens and underscores, or the personalNumber")
	}
	if b, ok := o["biometricData"]; ok {
		err = s.readPortrait(b, out)
	}
	return out, err
}

// outline holds a request's own properties against what the interface says of them.
func outline(id string, o map[string]json.RawMessage) error {
	for _, key := range []string{"encryption", "integrity"} {
		if _, ok := o[key]; ok {
			return problem(CodeProtection, key+" is not read here: TLS protects what is sent")
		}
	}
	for _, key := range []string{"personId", "biographicData", "requestData"} {
		if _, ok := o[key]; !ok {
			return problem(CodeFormat, key+" is missing")
		}
	}
	if own, ok, err := text(o, "credentialRequestId"); err != nil || ok && own != id {
		return cmpError(err, problem(CodeName, "credentialRequestId is another than the address's"))
	}
	if status, ok, err := text(o, "status"); err != nil || ok && status != "PENDING" {
		return cmpError(err, problem(CodeDemand, "status is the office's to say"))
	}
	if _, ok := o["credentialIds"]; ok {
		return problem(CodeDemand, "credentialIds is the office's to say")
	}
	return nil
}

// cmpError is the first error that is one.
func cmpError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// readData reads RequestData.
func (s *Server) readData(b []byte, m *meta) error {
	o, err := object(b, "requestData", dataKeys...)
	if err != nil {
		return err
	}
	for _, key := range []string{"numberOfPages", "validFromDate", "validToDate", "credentialNumber", "deliveryAddress", "credentialProfileVersion", "credentialProfileSubtype"} {
		if _, ok := o[key]; ok {
			return problem(CodeDemand, key+" is not the request's to say: the law says it, or the office")
		}
	}
	for _, f := range []struct {
		key  string
		into *string
	}{{"credentialProfileId", &m.Profile}, {"requestType", &m.Type}, {"requestTypeOther", &m.Other}, {"issuingAuthority", &m.Authority}, {"deliveryOffice", &m.Office}, {"parentCredentialId", &m.Parent}} {
		if *f.into, _, err = text(o, f.key); err != nil {
			return err
		}
	}
	var ok bool
	switch m.Priority, ok, err = number(o, "priority"); {
	case err != nil:
		return err
	case !ok || m.Priority < 0 || m.Priority > 9:
		return problem(CodeFormat, "priority is 0 to 9")
	case m.Profile != s.c.Profile.ID:
		return problem(CodeProfile, "there is no such credential profile")
	case m.Authority != "" && m.Authority != s.c.Authority:
		return problem(CodeDemand, "this office issues for another authority")
	case m.Office != "" && !isWord(m.Office), m.Parent != "" && !isName(m.Parent):
		return problem(CodeName, "deliveryOffice and parentCredentialId are names of letters, digits, dots, hyphens and underscores")
	}
	if m.Reason, err = reasonOf(o, m); err == nil && !slices.Contains(issuance.EnrolReasons(), m.Reason) {
		err = problem(CodeReason, "the reason of a request is one of "+strings.Join(issuance.EnrolReasons(), ", "))
	}
	return err
}

// reasonOf is for what reason a card is asked for, of those that the law has.
func reasonOf(o map[string]json.RawMessage, m *meta) (string, error) {
	reason := ""
	if b, ok := o["others"]; ok {
		others, err := object(b, "requestData.others", "reason")
		if err != nil {
			return "", err
		}
		if reason, _, err = text(others, "reason"); err != nil {
			return "", err
		}
	}
	if (m.Other != "") != (m.Type == "OTHER") {
		return "", problem(CodeFormat, "requestTypeOther goes with OTHER")
	}
	usual, ok := map[string]string{"FIRST_ISSUANCE": "first", "RENEWAL": "request", "REPLACEMENT": "", "OTHER": m.Other}[m.Type]
	switch {
	case !ok:
		return "", problem(CodeFormat, "requestType is FIRST_ISSUANCE, RENEWAL, REPLACEMENT or OTHER")
	case reason == "":
		return usual, nil
	case m.Type == "OTHER" && reason != usual, (reason == "first") != (usual == "first"):
		return "", problem(CodeReason, "others.reason contradicts requestType")
	}
	return reason, nil
}

// readPerson makes of BiographicData what `tamthe enrol` reads.
func (out *order) readPerson(b []byte) (vn.Person, error) {
	o, err := object(b, "biographicData")
	if err != nil {
		return vn.Person{}, err
	}
	ours := map[string]string{}
	for key, value := range o {
		i := slices.IndexFunc(attributes, func(a struct{ theirs, ours string }) bool { return a.theirs == key })
		if i < 0 {
			return vn.Person{}, problem(CodePerson, "biographicData has an attribute that no card has; those that one has are "+attributeNames())
		}
		var s string
		if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
			return vn.Person{}, problem(CodePerson, "biographicData."+key+" is no string")
		}
		if key == "nationality" && s == "VNM" {
			s = "Việt Nam"
		}
		ours[attributes[i].ours] = s
	}
	if out.person, err = json.Marshal(ours); err != nil {
		return vn.Person{}, problem(CodePerson, "biographicData can't be read")
	}
	who, err := vn.ParsePerson(out.person)
	if err != nil {
		what := "biographicData can't be read"
		if f, ok := errors.AsType[*vn.FieldError](err); ok {
			for _, a := range attributes {
				if a.ours == f.Field {
					what = "biographicData." + a.theirs + " is missing or can't stand on a card"
				}
			}
		}
		return vn.Person{}, problem(CodePerson, what)
	}
	return who, nil
}

func attributeNames() string {
	var names []string
	for _, a := range attributes {
		names = append(names, a.theirs)
	}
	return strings.Join(names, ", ")
}

// readPortrait reads BiometricData: one portrait, and nothing else. Fingers are taken at the
// desk only.
func (s *Server) readPortrait(b []byte, out *order) error {
	all, err := list(b, "biometricData")
	if err != nil || len(all) == 0 {
		return err
	}
	if len(all) > 1 {
		return problem(CodeBiometric, "one portrait is taken, and no other biometric data")
	}
	o, err := object(all[0], "biometricData", biometricKeys...)
	if err != nil {
		return err
	}
	for _, key := range []string{"encryption", "integrity", "imageRef", "template", "templateRef", "missing"} {
		if _, ok := o[key]; ok {
			return problem(CodeBiometric, "biometricData."+key+" is not taken")
		}
	}
	kind, _, err := text(o, "biometricType")
	sub, _, e := text(o, "biometricSubType")
	if err := cmpError(err, e); err != nil {
		return err
	}
	if kind != "FACE" || sub != "" && sub != "PORTRAIT" {
		return problem(CodeBiometric, "one portrait is taken, and no other biometric data")
	}
	if json.Unmarshal(o["image"], &out.portrait) != nil || len(out.portrait) == 0 {
		return problem(CodeBiometric, "biometricData.image is not in Base64")
	}
	if s.c.Office.CheckPortrait(out.portrait) != nil {
		return problem(CodeBiometric, "biometricData.image can't be used for a card: a JPEG of the size and shape of a portrait")
	}
	return nil
}
