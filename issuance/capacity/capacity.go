// Package capacity says what a ledger of so many cards needs: rows, octets, writes, cores.
//
// It is a model of a few coefficients, each of which a test or a benchmark measures. It
// answers an office that asks what to buy, and when one database is not enough any more.
package capacity

// Name of a coefficient.
type Name string

// The coefficients.
const (
	Entries     Name = "entries of a card's life"
	Streams     Name = "streams of a card's life"
	Claims      Name = "claims of a card's life"
	Attachments Name = "sealed attachments of a card's life"
	Sealed      Name = "sealed octets of a card's life besides its portrait"
	Portraits   Name = "times that its portrait is sealed"

	EntryOctets      Name = "octets of an entry"
	IdentityOctets   Name = "octets of an identity"
	StreamOctets     Name = "octets of a stream"
	ClaimOctets      Name = "octets of a claim"
	PlaceOctets      Name = "octets of a card's status"
	AttachmentOctets Name = "octets of an attachment besides its own"
	JournalOctets    Name = "octets of write-ahead log an entry, appended alone"

	AppendRate Name = "entries a second that one sequencer appends"
	VerifyRate Name = "entries a second that an audit with signatures verifies"
	HashRate   Name = "entries a second that an audit of hashes reads"
	LookRate   Name = "look-ups a second"
	ViewOctets Name = "octets of memory of the signing service an entry of a stream that it holds"
	CardOctets Name = "octets of memory of the signing service a card"
)

// Coefficient is a figure that the model rests on.
type Coefficient struct {
	Name     Name
	Value    float64
	Measured string // by which test or benchmark
}

// Coefficients lists them in their order.
func Coefficients() []Coefficient { return append([]Coefficient(nil), coefficients...) }

// Value of a coefficient; 0 of a name that is none.
func Value(name Name) float64 {
	for _, c := range coefficients {
		if c.Name == name {
			return c.Value
		}
	}
	return 0
}

// Demand is what an office has to do.
type Demand struct {
	Cards  float64 // issued so far, over all years
	PerDay float64 // cards of the busiest day; zero: 0.4 % of all, as in a national campaign
	Hours  float64 // that the office works a day; zero: 8

	Portrait float64 // octets of a portrait; zero: 25,000
}

// busiest is the share of all cards that the busiest day of a campaign made: 400,000 of some
// hundred million people.
const busiest = 0.004

// Need is what it takes.
type Need struct {
	Demand

	Rows        float64 // of all tables
	Entries     float64
	Database    float64 // octets, without what is sealed
	Sealed      float64 // octets of attachments
	JournalDay  float64 // octets of write-ahead log of the busiest day
	PerSecond   float64 // entries in the busiest hour, twice the mean
	Cores       float64 // of sequencer and database, in that hour
	Share       float64 // of what one sequencer can do; above 1 the ledger must be divided
	Verify      float64 // seconds of a whole audit with signatures
	Hashes      float64 // seconds of an audit of hashes
	SigningView float64 // octets of memory of the signing service
}

// Of says what a demand needs.
func Of(d Demand) Need {
	if d.PerDay == 0 {
		d.PerDay = busiest * d.Cards
	}
	if d.Hours == 0 {
		d.Hours = 8
	}
	if d.Portrait == 0 {
		d.Portrait = 25_000
	}
	v := Value
	sealed := v(Sealed) + v(Portraits)*d.Portrait
	n := Need{Demand: d, Entries: d.Cards * v(Entries)}
	n.Rows = n.Entries*2 + d.Cards*(v(Streams)+v(Claims)+v(Attachments)+1)
	n.Database = n.Entries*(v(EntryOctets)+v(IdentityOctets)) + d.Cards*(v(Streams)*v(StreamOctets)+v(Claims)*v(ClaimOctets)+v(PlaceOctets))
	n.Sealed = d.Cards * (sealed + v(Attachments)*v(AttachmentOctets))
	n.JournalDay = d.PerDay * (v(Entries)*v(JournalOctets) + sealed)
	n.PerSecond = 2 * d.PerDay * v(Entries) / (d.Hours * 3600)
	n.Share = n.PerSecond / v(AppendRate)
	n.Cores = cores * n.Share
	n.Verify, n.Hashes = n.Entries/v(VerifyRate), n.Entries/v(HashRate)
	n.SigningView = d.Cards*v(CardOctets) + min(d.Cards*v(Streams), held)*v(Entries)/v(Streams)*v(ViewOctets)
	return n
}

// held is how many streams the signing service holds as it has read them.
const held = 1 << 16

// cores are those of the machine that the rates were measured on, all of them busy.
const cores = 2
