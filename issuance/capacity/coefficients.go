package capacity

// coefficients were measured with PostgreSQL 15 on two cores of a virtual machine, a Xeon, and the
// audits on two of an EPYC, of ten million entries.
var coefficients = []Coefficient{
	{Entries, 16, "cmd/tamthe TestCoefficientsOfALife"},
	{Streams, 3, "cmd/tamthe TestCoefficientsOfALife"},
	{Claims, 9, "cmd/tamthe TestCoefficientsOfALife"},
	{Attachments, 9, "cmd/tamthe TestCoefficientsOfALife"},
	{Sealed, 24_000, "cmd/tamthe TestCoefficientsOfALife"},
	{Portraits, 2, "cmd/tamthe TestCoefficientsOfALife"},
	{EntryOctets, 650, "issuance/postgres TestCoefficients"},
	{IdentityOctets, 100, "issuance/postgres TestCoefficients"},
	{StreamOctets, 430, "issuance/postgres TestCoefficients"},
	{ClaimOctets, 195, "issuance/postgres TestCoefficients"},
	{PlaceOctets, 230, "issuance/postgres TestCoefficients"},
	{AttachmentOctets, 120, "issuance/postgres TestCoefficients"},
	{JournalOctets, 1_900, "issuance/postgres TestCoefficients"},
	{AppendRate, 5_500, "issuance/postgres BenchmarkPostgresAppend/writers=32"},
	{VerifyRate, 21_500, "issuance/postgres TestLongLedger"},
	{HashRate, 180_000, "issuance/postgres TestLongLedger"},
	{LookRate, 22_400, "issuance/postgres BenchmarkPostgresLookUp"},
	{ViewOctets, 1_200, "issuance/signing BenchmarkView"},
	{CardOctets, 410, "issuance/signing BenchmarkView"},
}
