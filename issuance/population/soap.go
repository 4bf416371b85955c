package population

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// SOAP asks a register by SOAP 1.1 in the shape that provincial systems use: operation
// TraCuuThongTinCongDan of http://dancuquocgia.bca, answered by a CongdanCollection of
// http://www.mic.gov.vn/dancu/1.0. The account signs in by HTTP Basic with the password
// SHA-256(url ‖ account ‖ timestamp ‖ secret) in hexadecimal; the timestamp, in seconds
// since 1970, goes along as the header of that name. Use it over TLS only.
//
// The published shape has no element for the purpose and none for a death: MucDich in the
// question and DaChet in the answer are ours. A register that has neither says of nobody
// that they died.
type SOAP struct {
	URL         string
	Account     string
	Secret      Secret
	Service     string // code of the service that asks, MaDVC
	Integration string // code of the integration, MaTichHop
	Phone       string
	Client      *http.Client     // nil: one that waits ten seconds
	Now         func() time.Time // nil: time.Now
}

// Secret is a password that does not print itself.
type Secret string

// Format prints none of it.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(secret)") }

// maxAnswer is the largest answer that is read, in octets.
const maxAnswer = 1 << 20

// The two ends' messages. Elements that nobody knows are passed over, as everybody's
// register has some of its own.
type (
	soapRequest struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
		Body    struct {
			Ask *soapQuery `xml:"http://dancuquocgia.bca TraCuuThongTinCongDan"`
		} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
	}
	soapQuery struct {
		Request     string   `xml:"MaYeuCau"`
		Service     string   `xml:"MaDVC"`
		Integration string   `xml:"MaTichHop"`
		Officer     string   `xml:"MaCanBo"`
		Unit        string   `xml:"MaDonVi"`
		Account     string   `xml:"TaiKhoan"`
		Phone       string   `xml:"SoDienThoai"`
		Purpose     string   `xml:"MucDich"`
		Number      string   `xml:"SoDinhDanh"`
		Name        string   `xml:"HoVaTen"`
		Birth       soapDate `xml:"NgayThangNamSinh"`
	}
	soapDate struct {
		Year string `xml:"Nam,omitempty"`
		Day  string `xml:"NgayThangNam,omitempty"` // yyyyMMdd
	}
	soapAnswer struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
		Body    struct {
			Fault *soapFault   `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault"`
			All   *soapCitizen `xml:"http://www.mic.gov.vn/dancu/1.0 CongdanCollection"`
		} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
	}
	soapFault struct {
		Code string `xml:"faultcode"`
		Text string `xml:"faultstring"`
	}
	soapCitizen struct {
		List []soapPerson `xml:"CongDan"`
	}
	soapPerson struct {
		Number    string       `xml:"SoDinhDanh"`
		OldNumber string       `xml:"SoCMND,omitempty"`
		Name      soapName     `xml:"HoVaTen"`
		Sex       string       `xml:"GioiTinh,omitempty"`
		Ethnicity string       `xml:"DanToc,omitempty"`
		Religion  string       `xml:"TonGiao,omitempty"`
		Birth     soapDate     `xml:"NgayThangNamSinh"`
		Origin    *soapPlace   `xml:"QueQuan"`
		Residence *soapPlace   `xml:"ThuongTru"`
		Father    soapRelative `xml:"Cha"`
		Mother    soapRelative `xml:"Me"`
		Spouse    soapRelative `xml:"VoChong"`
		Deceased  string       `xml:"DaChet,omitempty"`
	}
	soapName struct {
		Family string `xml:"Ho,omitempty"`
		Middle string `xml:"ChuDem,omitempty"`
		Given  string `xml:"Ten,omitempty"` // or all of the name
	}
	soapRelative struct {
		Name soapName `xml:"HoVaTen"`
	}
	soapPlace struct {
		Province string `xml:"MaTinhThanh,omitempty"`
		District string `xml:"MaQuanHuyen,omitempty"`
		Ward     string `xml:"MaPhuongXa,omitempty"`
		Detail   string `xml:"ChiTiet,omitempty"`
		Country  string `xml:"QuocGia,omitempty"`
	}
)

// Confirm asks the register.
func (s *SOAP) Confirm(ctx context.Context, q Query) (Record, error) {
	if err := q.Check(); err != nil {
		return Record{}, err
	}
	var m soapRequest
	m.Body.Ask = &soapQuery{
		Request: q.Request, Service: s.Service, Integration: s.Integration, Officer: q.Officer, Unit: q.Unit, Account: s.Account,
		Phone: s.Phone, Purpose: q.Purpose, Number: string(q.Number), Name: q.Name, Birth: toSOAP(q.Birth),
	}
	body, err := xml.Marshal(m)
	if err != nil {
		return Record{}, fmt.Errorf("write the question: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return Record{}, fmt.Errorf("ask the register: %w", err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("SOAPAction", `"TraCuuThongTinCongDan"`)
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	stamp := strconv.FormatInt(now().Unix(), 10)
	req.Header.Set("timestamp", stamp)
	req.SetBasicAuth(s.Account, soapPassword(s.URL, s.Account, stamp, s.Secret))
	status, answer, err := exchange(s.Client, req)
	if err != nil {
		return Record{}, err
	}
	return parseSOAP(status, answer, q)
}

// soapPassword is the password of one moment.
func soapPassword(url, account, stamp string, secret Secret) string {
	sum := sha256.Sum256([]byte(url + account + stamp + string(secret)))
	return hex.EncodeToString(sum[:])
}

// parseSOAP reads an answer. A fault comes with status 500 in SOAP 1.1.
func parseSOAP(status int, answer []byte, q Query) (Record, error) {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return Record{}, &RefusedError{strconv.Itoa(status)}
	}
	var m soapAnswer
	if err := xml.Unmarshal(answer, &m); err != nil {
		if status != http.StatusOK {
			return Record{}, fmt.Errorf("%w: HTTP status %d", ErrUnavailable, status)
		}
		return Record{}, fmt.Errorf("%w: no SOAP envelope", ErrAnswer)
	}
	switch {
	case m.Body.Fault != nil:
		return Record{}, &RefusedError{printable(m.Body.Fault.Code)}
	case status != http.StatusOK:
		return Record{}, fmt.Errorf("%w: HTTP status %d", ErrUnavailable, status)
	case m.Body.All == nil:
		return Record{}, fmt.Errorf("%w: no CongdanCollection", ErrAnswer)
	case len(m.Body.All.List) == 0:
		return Record{}, ErrNoSuchPerson
	case len(m.Body.All.List) > 1:
		return Record{}, fmt.Errorf("%w: more than one person", ErrAnswer)
	}
	r, err := m.Body.All.List[0].record()
	if err != nil {
		return Record{}, err
	}
	return r.answering(q)
}

// answering is the record, if it answers the question: a register, or who stands between,
// that answers with somebody else confirms nobody.
func (r Record) answering(q Query) (Record, error) {
	if !r.Confirms(q) {
		return Record{}, fmt.Errorf("%w: it is of another person", ErrAnswer)
	}
	return r, nil
}

func (p soapPerson) record() (Record, error) {
	birth, err := fromSOAP(p.Birth)
	if err != nil {
		return Record{}, err
	}
	r := Record{
		Number: vn.Number(p.Number), OldNumber: p.OldNumber, Name: p.Name.whole(), Sex: sexOf(p.Sex), Birth: birth,
		Ethnicity: p.Ethnicity, Religion: p.Religion, Father: p.Father.Name.whole(), Mother: p.Mother.Name.whole(),
		Spouse: p.Spouse.Name.whole(), Deceased: p.Deceased == "1" || p.Deceased == "true",
	}
	for to, from := range map[*Place]*soapPlace{&r.Origin: p.Origin, &r.Residence: p.Residence} {
		if from != nil {
			*to = Place{from.Province, from.District, from.Ward, from.Detail, from.Country}
		}
	}
	return r, nil
}

// sexOf is what the register's number of a sex means: 1 as in its samples; that 2 is the
// other is taken for granted, no sample shows it. What else it says is kept, and explained
// by nobody. A wrong guess is a mismatch, which a person looks at.
func sexOf(s string) string {
	switch s {
	case "1":
		return "M"
	case "2":
		return "F"
	}
	return s
}

func (n soapName) whole() string { return spaced(n.Family + " " + n.Middle + " " + n.Given) }

func toSOAP(d vn.Date) soapDate {
	if d.Month == 0 || d.Day == 0 {
		return soapDate{Year: fmt.Sprintf("%04d", d.Year)}
	}
	return soapDate{Day: fmt.Sprintf("%04d%02d%02d", d.Year, d.Month, d.Day)}
}

// fromSOAP reads a date; zeros stand for what is not known of it.
func fromSOAP(s soapDate) (vn.Date, error) {
	text := s.Day
	if text == "" {
		text = s.Year
	}
	if text == "" {
		return vn.Date{}, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	switch {
	case err != nil:
	case len(text) == 4 && n > 0:
		return vn.Date{Year: int(n)}, nil
	case len(text) == 8:
		d := vn.Date{Year: int(n / 10000), Month: int(n / 100 % 100), Day: int(n % 100)}
		if d.Valid() {
			return d, nil
		}
	}
	return vn.Date{}, fmt.Errorf("%w: a date of birth that is none", ErrAnswer)
}

// exchange sends a request and reads the bounded answer. It follows nobody elsewhere: what
// is asked is for one register only.
func exchange(c *http.Client, req *http.Request) (int, []byte, error) {
	if c == nil {
		c = &http.Client{Timeout: 10 * time.Second}
	}
	follow := *c
	follow.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := follow.Do(req)
	if err != nil {
		if ctx := req.Context().Err(); ctx != nil && errors.Is(ctx, context.Canceled) {
			return 0, nil, ctx
		}
		return 0, nil, ErrUnavailable // the error behind it holds the address asked
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, ErrUnavailable
	case len(answer) > maxAnswer:
		return 0, nil, fmt.Errorf("%w: more than %d octets", ErrAnswer, maxAnswer)
	}
	return resp.StatusCode, answer, nil
}

// printable is a code that a register gave, cut to what may stand in a message.
func printable(s string) string {
	out := make([]byte, 0, 40)
	for i := 0; i < len(s) && len(out) < 40; i++ {
		if s[i] > ' ' && s[i] < 0x7F {
			out = append(out, s[i])
		}
	}
	return string(out)
}
