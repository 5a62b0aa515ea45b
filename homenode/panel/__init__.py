"""`homenode panel`: the page for a tablet by the front door."""
