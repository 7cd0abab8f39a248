"""The database: tables, migrations, and one module of queries per concern. SQL lives only here."""
